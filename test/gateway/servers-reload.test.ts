import { expect, test } from 'vitest';
import { namesIn } from '../support/mcp-caller.ts';
import { runGateway } from '../support/running-gateway.ts';
import { startNativeServer } from './support/native-server.ts';

test('a server that a reload brings or takes is told to those alone whose scopes open it (R24, R44)', async () => {
  await using native = startNativeServer();
  await using running = await runGateway();
  const [ada, eve] = [
    await running.caller({ sub: 'ada', scope: 'mcp:lin' }),
    await running.caller({ sub: 'eve' }),
  ];
  const streams = await Promise.all([ada, eve].map((caller) => caller.listen({ toolsListChanged: true })));
  for (const stream of streams) await stream.next();
  const [adas, eves] = streams;
  const own = async () =>
    namesIn(await ada.modern('tools/list'), 'tools').filter((name) => name.startsWith('lin_'));

  await running.reload({}, { servers: { lin: { url: native.url, scopes: { default: 'mcp:lin' } } } });
  await adas?.nextOf('notifications/tools/list_changed');
  expect(await own()).toEqual(['lin_link']);
  expect((await ada.tool('lin_link')).said).toContain('/link/lin?ticket=');
  expect((await eve.tool('lin_link')).error.code).toBe(-32602);

  await running.reload({}, { servers: {} });
  await adas?.nextOf('notifications/tools/list_changed');
  expect(await own()).toEqual([]);
  expect(await eves?.within(100)).toEqual([]);
  for (const stream of streams) await stream.close();
});
