import type { Limiter } from '#cluster/limiter.ts';
import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { createNameGate } from '../host-gate.ts';
import type { Operation, OperationRefusal, Operations, OperatorRole } from '../operation.ts';
import { readAdminCookie } from './admin-cookie.ts';
import { type AdminRefusalReason, adminMessage } from './admin-refusal.ts';
import { type AdminSession, createAdminSessions } from './admin-sessions.ts';
import { type AdminTokenSettings, createAdminTokens, type Operator } from './admin-tokens.ts';

/** Replaced whole by a reload. */
export interface AdminSettings {
  readonly listen: { readonly host: string } | undefined;
  readonly hosts: readonly string[];
  readonly tokens: ReadonlyMap<string, AdminTokenSettings>;
}

export interface AdminDoorDeps {
  readonly settings: () => AdminSettings;
  readonly operations: Operations;
  /** Of its own: strangers fill it. */
  readonly failures: Limiter;
  /** Whether the audit admits an act now. */
  readonly mayRecord: () => boolean;
  readonly act: (fields: JsonObject) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why nobody was let in; with `rate_limited`, for how long. */
export interface DoorRefusal {
  readonly reason: Extract<AdminRefusalReason, 'rate_limited' | 'unauthorized' | 'not_recordable'>;
  readonly waitSeconds: number | undefined;
}

/** Who comes in, and what they may do: the same for programs and for the console. */
export interface AdminDoor {
  isOurs(host: string): boolean;
  /** Wrong tokens of one network are few a minute; beyond that no token of it is looked at. */
  recognise(given: string | undefined, network: string): Result<Operator, DoorRefusal>;
  /** Trades a token for a session, which is recorded. */
  signIn(
    given: string | undefined,
    network: string,
  ): Promise<Result<{ readonly id: string; readonly session: AdminSession }, DoorRefusal>>;
  session(request: Request, host: string): AdminSession | undefined;
  signOut(request: Request, host: string): void;
  /** Why this operator may not ask it now; an attempt beyond the role is recorded. */
  admit(
    name: string,
    operation: Operation,
    operator: Operator,
  ): Promise<Extract<AdminRefusalReason, 'role_refused' | 'not_recordable'> | undefined>;
  ask(name: string, input: JsonObject, operator: Operator): Promise<Result<JsonObject, OperationRefusal>>;
}

const rank: Readonly<Record<OperatorRole, number>> = { read: 0, operate: 1, reveal: 2 };

/** Whether a role covers another: each includes the one before. */
export function covers(held: OperatorRole, needed: OperatorRole): boolean {
  return rank[held] >= rank[needed];
}

export function createAdminDoor(deps: AdminDoorDeps): AdminDoor {
  const { operations, failures, clock, log } = deps;
  const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32)));
  const sessions = createAdminSessions(clock);
  let settled = settle(deps.settings());

  function settle(settings: AdminSettings) {
    const host = settings.listen?.host;
    const isOurs = createNameGate(host === undefined ? settings.hosts : [...settings.hosts, host]);
    return { settings, isOurs, tokens: createAdminTokens(settings.tokens, key) };
  }

  function current() {
    const settings = deps.settings();
    if (settings !== settled.settings) settled = settle(settings);
    return settled;
  }

  function recognise(given: string | undefined, network: string): Result<Operator, DoorRefusal> {
    if (given === undefined) return err({ reason: 'unauthorized', waitSeconds: undefined });
    const waitSeconds = failures.peek(network, limits.adminFailuresPerMinute);
    if (waitSeconds > 0) return err({ reason: 'rate_limited', waitSeconds });
    const operator = current().tokens.find(given);
    if (operator !== undefined) return ok(operator);
    failures.take(network, limits.adminFailuresPerMinute);
    log.warn('admin.token_refused', { network });
    return err({ reason: 'unauthorized', waitSeconds: undefined });
  }

  const admit: AdminDoor['admit'] = async (name, operation, { name: actor, role }) => {
    if (!covers(role, operation.role)) {
      await deps.act({ action: 'admin.refused', actor, operation: name, role });
      return 'role_refused';
    }
    return operation.role !== 'read' && !deps.mayRecord() ? 'not_recordable' : undefined;
  };

  return {
    isOurs: (host) => current().isOurs(host),
    recognise,
    async signIn(given, network) {
      const operator = recognise(given, network);
      if (!operator.ok) return operator;
      if (!(await deps.act({ action: 'admin.sign_in', actor: operator.value.name })))
        return err({ reason: 'not_recordable', waitSeconds: undefined });
      return ok(sessions.open(operator.value));
    },
    session(request, host) {
      const id = readAdminCookie(request, host);
      return id === undefined ? undefined : sessions.find(id, current().tokens);
    },
    signOut(request, host) {
      const id = readAdminCookie(request, host);
      if (id !== undefined) sessions.end(id);
    },
    admit,
    async ask(name, input, operator) {
      const operation = operations[name];
      const refused = operation === undefined ? 'not_found' : await admit(name, operation, operator);
      if (operation === undefined || refused !== undefined) {
        const reason = refused ?? 'not_found';
        return err({ reason, message: adminMessage(reason) });
      }
      return operation.run(input, operator.name);
    },
  };
}
