import { expect, test } from 'vitest';
import { systemClock } from '#kernel/clock.ts';
import { createSealer } from '#keys/sealer.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { createEgress } from '#vault/linking/egress.ts';
import { createLinkClients } from '#vault/linking/link-clients.ts';
import { assumedMetadata } from '#vault/linking/server-metadata.ts';
import { ringOf } from '../vault-kit.ts';
import { ada, begin, closing, finish, granted, linkedServer, startLinking } from './linking-kit.ts';
import { answerTo, startScripted } from './scripted-provider.ts';

const server = linkedServer('http://127.0.0.1:1/mcp');
const reach = { egress: createEgress(server), timeoutMs: 1_000 };
closing.push(() => reach.egress.outbound.close());

function open() {
  const store = openSqliteStore(':memory:');
  closing.push(() => store.close());
  const clientsWith = (...keys: number[]) =>
    createLinkClients({
      store,
      sealer: createSealer(ringOf(...keys)),
      clock: systemClock,
      gatewayUrl: 'http://127.0.0.1:2/mcp',
      clientName: 'Cortex',
    });
  return { before: clientsWith(1), after: clientsWith(2, 1) };
}

test('a process that lacks the key that turned takes no registration from those who have it', async () => {
  const provider = startScripted();
  const metadata = assumedMetadata(provider.origin);
  const { before, after } = open();
  const { id } = granted(await after.obtain('notes', server, metadata, reach));
  const ofOld = before.obtain('notes', server, metadata, reach);
  await expect(ofOld).rejects.toThrow('a key that the ring lacks');
  await expect(before.find('notes', server, metadata, id)).rejects.toThrow('a key that the ring lacks');
  expect(await after.find('notes', server, metadata, id)).toMatchObject({ id, source: 'registered' });
});

test('nor does it forget where a configured client belongs', async () => {
  const configured = linkedServer(server.url, { client: { id: 'ours', secret: undefined } });
  const { before, after } = open();
  const ours = assumedMetadata('http://127.0.0.1:3');
  const theirs = assumedMetadata('http://127.0.0.1:4');
  granted(await after.obtain('notes', configured, ours, reach));
  await expect(before.obtain('notes', configured, theirs, reach)).rejects.toThrow(
    'a key that the ring lacks',
  );
  expect(await after.obtain('notes', configured, theirs, reach)).toMatchObject({
    error: { reason: 'issuer_changed' },
  });
});

test('a link is taken back although the client is sealed with a key that is not here', async () => {
  const provider = startScripted();
  const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
  await finish(kit, answerTo(await begin(kit)));
  const elsewhere = createSealer(ringOf(9)).seal('link_client', [], 'of another ring');
  await kit.store.run('UPDATE link_clients SET sealed = ?', elsewhere);
  expect(await kit.engine.unlink(ada, 'notes')).toEqual({ ok: true, value: { wasRevoked: false } });
  expect(await kit.grants.get(ada, 'notes')).toBeUndefined();
});
