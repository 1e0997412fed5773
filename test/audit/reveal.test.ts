import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPseudonyms, type Pseudonyms } from '#audit/pseudonyms.ts';
import { createReveal, type Reveal } from '#audit/reveal.ts';
import { verifyAudit } from '#audit/verify.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { silentLog } from '#kernel/log.ts';
import { deriveKey } from '#keys/key-ring.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { facts, handClock, openTestAudit, principal, ringOf, signer, tempDir } from './support/audit-kit.ts';

const retentionMs = 365 * 24 * 3_600_000;
let dir = '';
let clock = handClock();
let store: Store;
let pseudonyms: Pseudonyms;
beforeEach(() => {
  dir = tempDir();
  clock = handClock();
  store = openSqliteStore(join(dir, 'cortex.db'));
  pseudonyms = createPseudonyms({ keys: ringOf(2), store, clock, log: silentLog });
  return async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  };
});

const auditDir = () => join(dir, 'audit');
function records(): readonly JsonObject[] {
  return readdirSync(auditDir())
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(auditDir(), name), 'utf8').trimEnd().split('\n'))
    .map((line): unknown => JSON.parse(line))
    .filter(isJsonObject);
}
async function open(): Promise<{ reveal: Reveal; audit: Awaited<ReturnType<typeof openTestAudit>> }> {
  const audit = await openTestAudit(auditDir(), { clock, pseudonyms });
  return { audit, reveal: createReveal({ pseudonyms, act: audit.act, retentionMs }) };
}
const reveals = () => records().filter(({ kind }) => kind === 'reveal');

describe('revealing', () => {
  test('names the person, and who asked, for whom and why is on the disk by then', async () => {
    const { audit, reveal } = await open();
    for (const subject of ['ada', 'bob', 'cyd']) await audit.record(facts({ principal: principal(subject) }));
    const user = await pseudonyms.of(principal('bob'));
    const person = await reveal({ user, reason: '  incident 12: "deletion"\n' }, 'ops-anna');
    expect(person).toEqual({ ok: true, value: { issuer: 'https://auth.example.com', subject: 'bob' } });
    expect(reveals()).toMatchObject([
      { actor: 'ops-anna', user, reason: 'incident 12: "deletion"', outcome: 'ok' },
    ]);
    await audit.close();
    expect((await verifyAudit(auditDir(), signer)).status).toBe('intact');
  });

  test('works for any month that records are kept for, and under keys that were newest then', async () => {
    const january = await pseudonyms.of(principal('ada'));
    clock.add(70 * 24 * 3_600_000);
    const later = createPseudonyms({ keys: ringOf(3, 2), store, clock, log: silentLog });
    const march = await later.of(principal('ada'));
    expect(march).not.toBe(january);
    const act = () => Promise.resolve(true);
    const reveal = createReveal({ pseudonyms: later, act, retentionMs });
    for (const user of [january, march])
      expect(await reveal({ user, reason: 'why' }, 'x')).toMatchObject({
        ok: true,
        value: { subject: 'ada' },
      });
    const short = createReveal({ pseudonyms: later, act, retentionMs: 24 * 3_600_000 });
    expect(await short({ user: january, reason: 'why' }, 'x')).toMatchObject({
      error: { reason: 'unknown_user' },
    });
  });

  test.each([
    ['no reason', undefined],
    ['an empty one', ''],
    ['white space', ' \n\t '],
    ['one that says nothing', '... -'],
    ['one that is endless', 'x'.repeat(501)],
  ])('without a reason names nobody: %s', async (_name, reason) => {
    const { audit, reveal } = await open();
    await audit.record(facts());
    const user = await pseudonyms.of(principal());
    expect(await reveal({ user, reason }, 'x')).toMatchObject({
      ok: false,
      error: { reason: 'reason_needed' },
    });
    await audit.close();
    expect(reveals()).toEqual([]);
  });

  test.each([undefined, '', 'short', 'x'.repeat(23), '../../../etc/passwd123'])(
    'what is no pseudonym is refused: %s',
    async (user) => {
      const { audit, reveal } = await open();
      expect(await reveal({ user, reason: 'why' }, 'x')).toMatchObject({
        error: { reason: 'not_a_pseudonym' },
      });
      await audit.close();
    },
  );

  test('trying names is recorded, too', async () => {
    const { audit, reveal } = await open();
    await audit.record(facts());
    const user = 'A'.repeat(22);
    expect(await reveal({ user, reason: 'guessing' }, 'x')).toMatchObject({
      error: { reason: 'unknown_user' },
    });
    expect(reveals()).toMatchObject([{ actor: 'x', user, reason: 'guessing', outcome: 'unknown_user' }]);
    await audit.close();
  });

  test('while the audit cannot be written nobody is named, whatever the policy', async () => {
    const { audit } = await open();
    await audit.record(facts());
    const user = await pseudonyms.of(principal());
    const act = () => Promise.resolve(false);
    const reveal = createReveal({ pseudonyms, act, retentionMs });
    const answer = await reveal({ user, reason: 'why' }, 'x');
    expect(answer).toMatchObject({ ok: false, error: { reason: 'not_recorded' } });
    expect(JSON.stringify(answer)).not.toContain('u1');
    await audit.close();
  });

  test('among 3,000 people takes no turn of the loop for long', async () => {
    for (let index = 0; index < 3_000; index++) await pseudonyms.of(principal(`p${index}`));
    const reveal = createReveal({ pseudonyms, act: () => Promise.resolve(true), retentionMs });
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    }, 1);
    const began = performance.now();
    await reveal({ user: 'A'.repeat(22), reason: 'why' }, 'x');
    clearInterval(turning);
    console.log(`looked among 3,000 people and 13 months in ${Math.round(performance.now() - began)} ms`);
    expect(turns).toBeGreaterThan(5);
  }, 60_000);
});

describe('erasing a person', () => {
  test('leaves a log that verifies and that nothing links to them: not the store, not the keys, not a reveal', async () => {
    const first = await open();
    for (const subject of ['ada', 'bob']) {
      for (let call = 0; call < 5; call++) await first.audit.record(facts({ principal: principal(subject) }));
    }
    const [ada, bob] = [await pseudonyms.of(principal('ada')), await pseudonyms.of(principal('bob'))];
    const issuer = 'https://auth.example.com';
    await pseudonyms.forget(issuer, 'ada');

    expect(await first.reveal({ user: ada, reason: 'why' }, 'x')).toMatchObject({
      error: { reason: 'unknown_user' },
    });
    expect(await first.reveal({ user: bob, reason: 'why' }, 'x')).toMatchObject({
      value: { subject: 'bob' },
    });
    expect(await pseudonyms.names(principal('ada'), 13)).toEqual([]);
    // Who comes back is somebody new.
    await first.audit.record(facts({ principal: principal('ada') }));
    expect(await pseudonyms.of(principal('ada'))).not.toBe(ada);
    await first.audit.close();

    expect((await verifyAudit(auditDir(), signer)).status).toBe('intact');
    expect(records().filter(({ kind, user }) => kind === 'call' && user === ada)).toHaveLength(5);

    // With the key of the month and the person's own name in hand, every guess at it without the salt fails.
    const monthKey = deriveKey(ringOf(2).newest, 'cortex audit month 2026-03');
    const guesses = [[issuer, 'ada'], [issuer, 'ada', ''], ['ada'], principal('ada').key].map((guess) =>
      typeof guess === 'string' ? guess : JSON.stringify(guess),
    );
    for (const guess of guesses) {
      const name = new Bun.CryptoHasher('sha256', monthKey).update(guess).digest('base64url').slice(0, 22);
      expect(name).not.toBe(ada);
    }
    // Nothing in the folder names them: the records, the database with its journals.
    await store.run('DELETE FROM audit_pseudonyms');
    await store.scrub();
    const bytes = readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('');
    expect(bytes).not.toContain('"ada"');
    expect(bytes).not.toContain('person@example.com');
  });
});
