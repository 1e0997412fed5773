import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { isJsonObject } from '#kernel/json.ts';
import { isRunning, untilGone } from '../adapter/support/processes.ts';
import type { EventReader } from '../support/event-reader.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type AnyClient, clientKinds } from './support/any-client.ts';
import { deployForRevocation, type RevocationDeployment, tools } from './support/revocation-deployment.ts';

const clientCount = 50;
/** One address may be refused 300 times a minute before it is asked to wait. */
const maxFailures = 5;
const now = () => performance.now();

interface Call {
  readonly client: number;
  readonly tool: string;
  readonly begunMs: number;
  readonly endedMs: number;
  readonly isOk: boolean;
}

let deployment: RevocationDeployment;
beforeAll(async () => {
  deployment = await deployForRevocation();
}, 60_000);
afterAll(() => deployment?.[Symbol.asyncDispose]());

/** Calls one tool after the other until told to stop; what fails is a call like any other. */
async function callOn(client: AnyClient, number: number, calls: Call[], until: AbortSignal): Promise<void> {
  let failed = 0;
  for (let turn = number; !until.aborted && failed < maxFailures; turn++) {
    const tool = tools[turn % tools.length] ?? tools[0];
    const begunMs = now();
    const isOk = await client.call(tool).then(
      ({ isError }) => !isError,
      () => false,
    );
    calls.push({ client: number, tool, begunMs, endedMs: now(), isOk });
    if (!isOk) failed += 1;
    await Bun.sleep(isOk ? 5 : 100);
  }
}

async function revoke(body: object): Promise<{ readonly ms: number; readonly answer: unknown }> {
  const startedMs = now();
  const response = await fetch('http://control/revocations', {
    unix: deployment.control,
    method: 'POST',
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  return { ms: now() - startedMs, answer };
}

function distribution(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  return `min ${at(0)}, p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, max ${at(1)} ms`;
}

/** A question that a user is being asked: the call waits, its server holds the line. */
async function parkQuestion(
  caller: McpCaller,
): Promise<{ readonly retry: (by: McpCaller) => ReturnType<McpCaller['tool']> }> {
  const capabilities = { elicitation: { form: {} } };
  const asked = await caller.modern('tools/call', { name: 'own_ask', arguments: {} }, { capabilities });
  expect(asked.result.resultType).toBe('input_required');
  const { requestState, inputRequests } = asked.result;
  const [key = ''] = Object.keys(isJsonObject(inputRequests) ? inputRequests : {});
  const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } } };
  const params = { name: 'own_ask', arguments: {}, requestState, inputResponses };
  return { retry: (by) => by.modern('tools/call', params, { capabilities }) };
}

test('a user who is revoked while 50 official clients call and listen is refused at once, everywhere, and after a restart', async () => {
  const sid = 'sign-in-1';
  const clients = await Promise.all(
    Array.from({ length: clientCount }, (_, number) =>
      deployment.connect(clientKinds[number % clientKinds.length] ?? 'v2, modern', {
        sub: 'ada',
        sid,
        jti: `ada-${number}`,
      }),
    ),
  );
  const [bob, otherBob] = await Promise.all([
    deployment.connect('v2, modern', { sub: 'bob' }),
    deployment.connect('v1, legacy', { sub: 'bob' }),
  ]);
  for (const client of clients.slice(0, 3)) await client.tools();
  const ada = await deployment.caller({ sub: 'ada', sid, jti: 'ada-streams' });
  const streams: readonly EventReader[] = await Promise.all(
    Array.from({ length: 10 }, () => ada.listen({ toolsListChanged: true })),
  );
  const parked = await parkQuestion(ada);
  const pid = Number((await ada.tool('own_pid')).said);
  const bobsPid = Number((await (await deployment.caller({ sub: 'bob' })).tool('own_pid')).said);
  expect([pid, bobsPid].map(isRunning)).toEqual([true, true]);

  const calls: Call[] = [];
  const bobsCalls: Call[] = [];
  const stop = new AbortController();
  const loops = [
    ...clients.map((client, number) => callOn(client, number, calls, stop.signal)),
    ...[bob, otherBob].map((client, number) => callOn(client, number, bobsCalls, stop.signal)),
  ];
  await vi.waitFor(
    () => {
      for (const tool of tools)
        expect(calls.filter((call) => call.tool === tool && call.isOk).length).toBeGreaterThan(10);
    },
    { timeout: 30_000, interval: 50 },
  );

  const startedMs = now();
  const { ms, answer } = await revoke({ kind: 'subject', value: 'ada' });
  const acknowledgedMs = startedMs + ms;
  // What was sent before may be still on its way to here.
  await Bun.sleep(100);
  const sentBefore = deployment.sentFor('ada');
  await Bun.sleep(1_400);
  stop.abort();
  await Promise.all(loops);

  const refused = calls.filter(({ isOk, endedMs }) => !isOk && endedMs >= startedMs);
  const firstOf = clients.map((_, number) =>
    Math.min(...refused.filter(({ client }) => client === number).map(({ endedMs }) => endedMs)),
  );
  const late = calls.filter(({ isOk, begunMs }) => isOk && begunMs >= acknowledgedMs);
  const stragglers = calls.filter(({ isOk, endedMs }) => isOk && endedMs >= acknowledgedMs);
  const before = calls.filter(({ endedMs }) => endedMs < startedMs);
  process.stdout.write(
    [
      `${clientCount} clients (${clientKinds.join('; ')}), ${before.length} calls before: ${tools
        .map((tool) => `${tool} ${before.filter((call) => call.tool === tool && call.isOk).length}`)
        .join(', ')}`,
      `acknowledged after ${ms.toFixed(1)} ms: ${JSON.stringify(answer)}`,
      `first refusal of each client after the revocation: ${distribution(firstOf.map((at) => at - startedMs))}`,
      `first refusal of all: ${(Math.min(...firstOf) - startedMs).toFixed(1)} ms`,
      `calls begun after the acknowledgement: ${calls.filter(({ begunMs }) => begunMs >= acknowledgedMs).length}, succeeded ${late.length}`,
      `answers sent before it and read after it: ${stragglers.length}`,
      `another user meanwhile: ${bobsCalls.length} calls, failed ${bobsCalls.filter(({ isOk }) => !isOk).length}`,
      '',
    ].join('\n'),
  );

  for (const tool of tools) {
    expect(refused.filter((call) => call.tool === tool).length).toBeGreaterThan(0);
  }
  expect(before.filter(({ isOk }) => !isOk)).toEqual([]);
  // An answer needs its time in a queue of fifty on a busy machine: as long as the calls before took in this very run.
  const usualMs = Math.max(...before.map(({ begunMs, endedMs }) => endedMs - begunMs));
  expect(Math.min(...firstOf) - startedMs).toBeLessThan(1_000 + usualMs);
  expect(Math.max(...firstOf) - startedMs).toBeLessThan(5_000 + usualMs);
  expect(late).toEqual([]);
  expect(answer).toMatchObject({ replicas: 1 });
  // Nothing more reached any application or server in the user's name.
  expect(deployment.sentFor('ada')).toBe(sentBefore);
  expect(bobsCalls.filter(({ isOk }) => !isOk)).toEqual([]);

  // Streams are closed, the user's process is gone, the question is dropped.
  for (const stream of streams) await stream.rest(1_000);
  expect(streams.filter(({ hasEnded }) => !hasEnded)).toEqual([]);
  await untilGone(() => [pid], 3_000);
  expect(isRunning(bobsPid)).toBe(true);
  expect((await parked.retry(ada)).status).toBe(401);

  // From the next second on a new sign-in works, with what was linked before; the dropped question stays dropped.
  await Bun.sleep(1_000);
  const again = await deployment.caller({ sub: 'ada', sid: 'sign-in-2' });
  expect(await again.tool('account_echo')).toMatchObject({ status: 200, isError: false });
  expect((await parked.retry(again)).status).toBe(400);

  // A token taken out by its id is refused by a gateway that is killed right after it said so.
  const taken = await deployment.caller({ sub: 'ada', jti: 'taken' });
  expect((await taken.tool('propagate_run')).status).toBe(200);
  expect((await revoke({ kind: 'token', value: 'taken' })).answer).toMatchObject({ replicas: 1 });

  await deployment.restart();
  const later = await deployment.caller({ sub: 'ada', sid: 'sign-in-3' });
  expect(await later.tool('propagate_run')).toMatchObject({ status: 200, isError: false });
  // Also a token that the gateway has never seen.
  const unseen = await deployment.caller({ sub: 'ada', iat: Math.floor(Date.now() / 1_000) - 600 });
  for (const old of [ada, unseen, taken]) expect((await old.tool('propagate_run')).status).toBe(401);
  await Promise.all([...clients, bob, otherBob].map((client) => client.close().catch(() => undefined)));
}, 90_000);
