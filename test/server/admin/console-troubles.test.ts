import { expect, test } from 'vitest';
import { createRecentRecords } from '#audit/recent-records.ts';
import { createChangeHistory } from '#catalog/change-history.ts';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import { createLimiter } from '#cluster/limiter.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { ok } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { Secret } from '#kernel/secret.ts';
import { createBackendSeries } from '#observability/backend-series.ts';
import { createAdminApp } from '#server/admin/admin-app.ts';
import { createConsole } from '#server/admin/console/console.ts';
import type { ConsoleSource } from '#server/admin/console/console-source.ts';

const token = 'pager-token-0123456789-0123456789-012';

/** A gateway that has nothing behind it, and whatever trouble is wished. */
function openWith(over: Partial<ConsoleSource>, mayRecord = () => true) {
  const source: ConsoleSource = {
    version: '1',
    startedAt: 0,
    name: () => 'Acme',
    isReady: () => true,
    mayRecord: () => true,
    auditStatus: () => ({ chain: 'c', seq: 1, unanchored: 0, failingSince: undefined, lost: 0, anchors: [] }),
    snapshot: () => emptySnapshot,
    states: () => new Map(),
    backend: () => undefined,
    plans: () => new Map(),
    issuers: () => [],
    integrity: () => ({ mode: 'off' }),
    lostFeeds: () => [],
    records: createRecentRecords(10),
    series: createBackendSeries(systemClock),
    history: createChangeHistory(systemClock, 10),
    holders: async () => ({ holders: [], total: 0 }),
    ...over,
  };
  let acted = 0;
  const app = createAdminApp({
    settings: () => ({
      listen: undefined,
      hosts: [],
      tokens: new Map([['ops', { token: new Secret(token), role: 'operate' }]]),
    }),
    operations: { 'POST /poll': { role: 'operate', run: async () => ok({ acted: ++acted }) } },
    addressOf: () => undefined,
    failures: createLimiter(systemClock),
    mayRecord,
    act: async () => mayRecord(),
    console: async (door) => createConsole({ door, source, clock: systemClock, schedule: systemSchedule }),
    clock: systemClock,
    log: silentLog,
  });
  const ask = async (
    path: string,
    init: RequestInit & { readonly headers?: Record<string, string> } = {},
  ) => {
    const headers = { host: 'localhost', ...init.headers };
    return app.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
  };
  const signIn = async () => {
    const answer = await ask('/console/sign-in', { method: 'POST', body: new URLSearchParams({ token }) });
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    return { answer, base: answer.headers.get('location') ?? '', headers: { cookie } };
  };
  return { ask, signIn, acted: () => acted };
}

test.each<readonly [string, Partial<ConsoleSource>, string]>([
  ['the gateway stops', { isReady: () => false }, 'it takes no new calls'],
  ['the audit cannot be written', { mayRecord: () => false }, 'The audit cannot be written'],
  [
    'records were lost',
    {
      auditStatus: () => ({
        chain: 'c',
        seq: 1,
        unanchored: 0,
        failingSince: undefined,
        lost: 7,
        anchors: [],
      }),
    },
    '7 audit records did not fit',
  ],
  [
    'a feed is lost',
    { lostFeeds: () => ['https://auth.example.com'] },
    'The revocation feed of https://auth.example.com is lost',
  ],
  [
    'the baseline is not to be believed',
    { integrity: () => ({ mode: 'block', problem: 'tampered' }) },
    'not to be believed: tampered',
  ],
])('the overview says in words that %s', async (_what, over, words) => {
  const { ask, signIn } = openWith(over);
  const { base, headers } = await signIn();
  const text = await (await ask(base, { headers })).text();
  expect(text).toContain('class="troubles"');
  expect(text).toContain(words);
  const well = openWith({});
  const whole = await well.signIn();
  expect(await (await well.ask(whole.base, { headers: whole.headers })).text()).not.toContain(
    'class="troubles"',
  );
});

test('the console lets nobody in, and does nothing, while that cannot be written down', async () => {
  let isWritable = false;
  const { ask, signIn, acted } = openWith({}, () => isWritable);
  const refused = await signIn();
  expect([refused.answer.status, refused.answer.headers.get('set-cookie')]).toEqual([503, null]);
  expect(await refused.answer.text()).toContain('nobody is let in unrecorded');

  isWritable = true;
  const { base, headers } = await signIn();
  const csrf = /name="csrf" value="([^"]+)"/.exec(await (await ask(base, { headers })).text())?.[1] ?? '';
  isWritable = false;
  const act = await ask(`${base}poll`, { method: 'POST', body: new URLSearchParams({ csrf }), headers });
  expect([act.status, acted()]).toEqual([503, 0]);
  expect(await act.text()).toContain('what cannot be recorded is not done');
});

test('a gateway without a console has no pages: the paths are as any other', async () => {
  const app = createAdminApp({
    settings: () => ({ listen: undefined, hosts: [], tokens: new Map() }),
    operations: {},
    addressOf: () => undefined,
    failures: createLimiter(systemClock),
    mayRecord: () => true,
    act: async () => true,
    clock: systemClock,
    log: silentLog,
  });
  for (const path of ['/', '/console', '/console/assets/console.js']) {
    const headers = { host: 'localhost', accept: 'text/html' };
    expect((await app.fetch(new Request(`http://localhost${path}`, { headers }))).status).toBe(401);
  }
  await app.close();
});
