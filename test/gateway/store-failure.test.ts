import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGateway } from '../support/running-gateway.ts';

const internalError = { code: -32603 };

test('a store that fails is a refusal of what needs it, and of nothing else', async () => {
  await using running = await runGateway({
    backends: {
      notes: {
        tools: [{ name: 'open', scope: 'mcp:test' }],
        resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:test' }],
      },
    },
  });
  const ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
  const session = await ada.initialize();
  expect((await session.request('ping')).status).toBe(200);
  const store = new Database(join(running.folder.path, 'state', 'cortex.db'));
  for (const table of ['session_states', 'session_tombstones', 'tickets', 'audit_pseudonyms', 'public_names'])
    store.run(`DROP TABLE ${table}`);
  store.close();

  expect((await session.request('logging/setLevel', { level: 'debug' })).error).toMatchObject(internalError);
  expect((await session.request('resources/subscribe', { uri: 'note://1' })).error).toMatchObject(
    internalError,
  );
  expect((await session.tool('report_missing_capability', { title: 'x' })).error).toMatchObject(
    internalError,
  );
  expect((await session.end()).status).toBe(500);

  const eve = await running.caller({ sub: 'eve', scope: 'mcp:test' });
  expect((await eve.tool('notes_open')).isError).toBe(false);
  running.backend('notes').setTools([{ name: 'renamed', scope: 'mcp:test' }]);
  await running.gateway.catalog.poll();
  expect((await eve.tool('notes_renamed')).isError).toBe(false);
  const events = running.logged.map(({ event }) => event);
  expect(events).toEqual(
    expect.arrayContaining(['mcp.fault', 'server.fault', 'audit.pseudonym_not_saved', 'catalog.save_failed']),
  );
});
