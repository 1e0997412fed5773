import { expect, test } from 'vitest';
import { createIssuer } from '../support/issuer.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

/** A gateway whose first request waits at the door until `letIn`: only then do the keys of its issuer come. */
async function waitingAtTheDoor(
  ask: (caller: McpCaller, signal: AbortSignal) => Promise<unknown>,
): Promise<{ readonly running: RunningGateway; readonly caller: McpCaller } & AsyncDisposable> {
  const owned = new AsyncDisposableStack();
  const issuer = owned.use(await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' }));
  const isAsked = Promise.withResolvers<void>();
  const isOpen = Promise.withResolvers<void>();
  const keys = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch() {
      isAsked.resolve();
      await isOpen.promise;
      return fetch(issuer.jwksUrl);
    },
  });
  owned.defer(() => keys.stop(true));
  const running = owned.use(
    await runGateway({
      issuer,
      backends: { notes: { tools: [{ name: 'open', scope: 'mcp:test' }] } },
      config: {
        auth: { issuers: [{ url: issuer.url, jwks_uri: `http://127.0.0.1:${keys.port}/` }] },
        limits: { streams_per_principal: 1 },
      },
    }),
  );
  const origin = running.listen();
  const caller = await running.caller({ scope: 'mcp:test' }, (request) =>
    fetch(new Request(request.url.replace('http://127.0.0.1:3213', origin), request)),
  );
  const gone = new AbortController();
  const asked = ask(caller, gone.signal).catch(() => 'gone');
  await isAsked.promise;
  gone.abort();
  expect(await asked).toBe('gone');
  // The gateway must hear of it before it goes on.
  await Bun.sleep(100);
  isOpen.resolve();
  await Bun.sleep(100);
  return { running, caller, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('who went away while its token was looked at has called nothing (R14)', async () => {
  await using door = await waitingAtTheDoor((caller, signal) => caller.tool('notes_open', {}, { signal }));
  expect(door.running.backend('notes').callsOf('open')).toHaveLength(0);
  expect((await door.caller.tool('notes_open')).status).toBe(200);
});

test('who went away while its token was looked at holds no stream (R23)', async () => {
  const wants = { toolsListChanged: true };
  await using door = await waitingAtTheDoor((caller, signal) => caller.listen(wants, { signal }));
  const events = await door.caller.listen(wants);
  expect(await events.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  await events.close();
});
