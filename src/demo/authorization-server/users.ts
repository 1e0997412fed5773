import type { Database } from 'bun:sqlite';
import type { Clock } from '#kernel/clock.ts';
import { seconds } from './database.ts';

export interface User {
  readonly sub: string;
  readonly email: string;
  readonly plan: string;
  readonly role: string;
}

export interface Users {
  /** Undefined: the server takes no more users. */
  findOrCreate(email: string): User | undefined;
  bySubject(sub: string): User | undefined;
  byEmail(email: string): User | undefined;
  subjects(): readonly string[];
  setPlan(sub: string, plan: string): void;
  /** Forgets every user with everything that hangs on them. */
  clear(): void;
}

export function createUsers(database: Database, clock: Clock, firstPlan: string, maxUsers: number): Users {
  const bySub = database.query<User, { sub: string }>(
    'SELECT sub, email, plan, role FROM users WHERE sub = $sub',
  );
  const byEmail = database.query<User, { email: string }>(
    'SELECT sub, email, plan, role FROM users WHERE email = $email',
  );
  const insert = database.query(
    `INSERT INTO users SELECT $sub, $email, $plan, 'member', $now WHERE (SELECT count(*) FROM users) < $maxUsers`,
  );
  const subjects = database.query<{ sub: string }, []>('SELECT sub FROM users');
  const setPlan = database.query('UPDATE users SET plan = $plan WHERE sub = $sub');

  const users: Users = {
    findOrCreate(email) {
      const known = users.byEmail(email);
      if (known !== undefined) return known;
      insert.run({ sub: crypto.randomUUID(), email, plan: firstPlan, now: seconds(clock), maxUsers });
      return users.byEmail(email);
    },
    bySubject: (sub) => bySub.get({ sub }) ?? undefined,
    byEmail: (email) => byEmail.get({ email }) ?? undefined,
    subjects: () => subjects.all().map((row) => row.sub),
    setPlan(sub, plan) {
      setPlan.run({ sub, plan });
    },
    clear() {
      database.run('DELETE FROM users');
    },
  };
  return users;
}

/** The canonical form of an e-mail address, or undefined where it is none we would send to. */
export function parseEmail(text: string | undefined): string | undefined {
  const email = text?.trim().toLowerCase();
  if (email === undefined || email.length > 254) return undefined;
  return /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(email) ? email : undefined;
}
