import { expect, test } from 'vitest';
import { runGateway } from '../support/running-gateway.ts';

test('no spelling of a session id turns one client of a user into another (R11)', async () => {
  await using running = await runGateway();
  const long = await running.caller({ scope: 'mcp:test', client_id: 'agent two' });
  const session = await long.initialize();
  expect((await session.request('ping')).status).toBe(200);
  const short = await running.caller({ scope: 'mcp:test', client_id: 'agent' });
  for (const id of [session.id, `two ${session.id}`]) {
    expect((await short.session(id).request('ping')).status).toBe(404);
  }
});
