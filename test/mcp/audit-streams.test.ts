import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGateway } from '../support/running-gateway.ts';
import { breakAudit } from './support/audit-failure.ts';

const tools = [
  { name: 'open', scope: 'mcp:test' },
  { name: 'secret', scope: ['mcp:test', 'mcp:more'] },
];

test('while records cannot be written, a hidden tool is as unknown as one that is not there', async () => {
  await using running = await runGateway({
    backends: { notes: { tools } },
    config: { audit: { on_failure: 'deny-writes' } },
  });
  const { claims } = await breakAudit(running);
  const ada = await running.caller({ scope: 'mcp:test', ...claims });
  expect((await ada.tool('notes_open')).status).toBe(503);
  const hidden = await ada.tool('notes_secret', {}, { id: 1 });
  const absent = await ada.tool('notes_absent', {}, { id: 1 });
  expect(hidden.status).toBe(200);
  expect(hidden.text).toBe(absent.text.replace('notes_absent', 'notes_secret'));
});

test('where all is denied, no session stream opens while records cannot be written', async () => {
  await using running = await runGateway({
    backends: { notes: { tools } },
    config: { audit: { on_failure: 'deny-all' }, limits: { session_lifetime: '7d' } },
  });
  const before = await running.caller({ sub: 'ada', scope: 'mcp:test' });
  const { id } = await before.initialize();
  const { claims } = await breakAudit(running);
  const ada = await running.caller({ sub: 'ada', scope: 'mcp:test', ...claims });
  const response = await ada.session(id).get();
  await response.body?.cancel();
  expect(response.status).toBe(503);
});

test('a listen stream whose record is not kept is refused where each record must be', async () => {
  await using running = await runGateway({
    backends: { notes: { tools } },
    config: { audit: { on_failure: 'deny-all', durability: 'call' } },
  });
  const ada = await running.caller({ scope: 'mcp:test' });
  await ada.modern('tools/list');
  const dir = join(running.folder.path, 'state', 'audit');
  await rename(dir, `${dir}-aside`);
  await writeFile(dir, 'no folder');
  running.clock.advance(86_400_000);
  const iat = Math.floor(running.clock.now() / 1000);
  const later = await running.caller({ scope: 'mcp:test', iat, exp: iat + 3600 });
  const answer = await later.modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
  expect(answer.status).toBe(503);
});
