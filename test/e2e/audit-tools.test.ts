import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { startCortex, startGateway } from '../support/binary.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';
import { callTool } from './modern-request.ts';

const technicalToken = 'technical-token-0123456789-0123456789';

test('a month in the life of an audit: calls, anchors at a webhook, figures, exports, a name, an erasure, a cut', async () => {
  await using folder = await createTempFolder();
  const port = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  await using issuer = await createIssuer({ audience: url });
  await using backend = createCapturingBackend({
    technicalToken,
    tools: [
      { name: 'x', scope: 's' },
      { name: 'y', scope: 's' },
    ],
  });
  backend.answer('y', () => Response.json({ error: 'broken' }, { status: 500 }));
  const anchorFile = join(folder.path, 'anchors.jsonl');
  const webhook = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      appendFileSync(anchorFile, await request.text());
      return new Response('taken');
    },
  });
  const config = await writeConfig(folder.path, {
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['s'] },
    plans: { pro: ['s'] },
    backends: { a: { url: backend.url, technical_token: technicalToken } },
    limits: { calls_per_minute: 0 },
    audit: { anchors: { webhook: { url: `${webhook.url}anchors` } } },
  });
  async function cortex(...args: string[]) {
    await using process = startCortex({ args: [...args, '--config', config], cwd: folder.path });
    const exitCode = await process.exited;
    // What it wrote last may still be on its way.
    await Bun.sleep(50);
    return { exitCode, text: process.output() };
  }
  const start = () => startGateway({ args: ['--config', config], cwd: folder.path, port });
  const token = await issuer.mint({ sub: 'ada', scope: 's' });

  let user = '';
  {
    await using gateway = await start();
    await waitForTool(url, token, 'a_x');
    for (let index = 0; index < 40; index++) await callTool(url, token, index % 4 === 0 ? 'a_y' : 'a_x');
    await Bun.sleep(200);

    const running = await cortex('audit', 'verify');
    expect(running.exitCode).toBe(4);

    const stats = JSON.parse((await cortex('audit', 'stats', '--json', '--quiet')).text);
    expect(stats.by_backend).toMatchObject([{ name: 'a', calls: expect.any(Number) }]);
    const y = stats.by_tool.find((row: JsonObject) => row.name === 'a_y');
    expect(y).toMatchObject({ calls: 10, outcomes: { error: 10 } });
    expect(stats.by_plan[0]).toMatchObject({ name: 'pro' });

    const cef = await cortex('audit', 'export', '--format', 'cef', '--tool', 'a_y');
    expect(cef.text.match(/^CEF:0\|Cortex\|/gm)).toHaveLength(10);
    const ocsf = await cortex('audit', 'export', '--format', 'ocsf', '--tool', 'a_x');
    const [event] = ocsf.text.split('\n').map((line): unknown => (line === '' ? {} : JSON.parse(line)));
    expect(event).toMatchObject({ class_uid: 6003, status_id: 1 });
    user =
      isJsonObject(event) && isJsonObject(event.actor) && isJsonObject(event.actor.user)
        ? String(event.actor.user.uid)
        : '';

    const noReason = await cortex('audit', 'reveal', user);
    expect(noReason).toMatchObject({ exitCode: 2, text: expect.stringContaining('--reason') });
    const named = await cortex('audit', 'reveal', user, '--reason', 'incident 12');
    expect(named).toMatchObject({
      exitCode: 0,
      text: expect.stringContaining(`${user} is ada of ${issuer.url}`),
    });
    const recorded = await cortex('audit', 'tail', '-n', '1', '--json');
    expect(JSON.parse(recorded.text.split('\n')[0] ?? '')).toMatchObject({
      kind: 'reveal',
      actor: 'local',
      user,
      reason: 'incident 12',
      outcome: 'ok',
    });
    expect(await gateway.stop()).toBe(0);
  }

  expect(await cortex('audit', 'verify')).toMatchObject({ exitCode: 0 });
  expect(await cortex('audit', 'verify', '--anchors', anchorFile)).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining('anchored up to'),
  });
  const own = await cortex('audit', 'export', '--format', 'anchors');
  expect(own.text.trimEnd().split('\n')).toEqual(readFileSync(anchorFile, 'utf8').trimEnd().split('\n'));

  // No gateway runs: the command names people by itself, and records it all the same.
  expect(await cortex('audit', 'reveal', user, '--reason', 'again')).toMatchObject({ exitCode: 0 });
  // Nothing of that left for the webhook, so its end could be cut off.
  expect(await cortex('audit', 'verify', '--anchors', anchorFile)).toMatchObject({ exitCode: 4 });
  expect(await cortex('vault', 'erase', 'ada')).toMatchObject({ exitCode: 0 });
  expect(await cortex('audit', 'reveal', user, '--reason', 'once more')).toMatchObject({ exitCode: 1 });
  expect(await cortex('audit', 'verify')).toMatchObject({ exitCode: 0 });

  // Tokens of the one who was erased are refused from now on.
  const another = await issuer.mint({ sub: 'bob', scope: 's' });
  {
    await using gateway = await start();
    await waitForTool(url, another, 'a_x');
    process.kill(gateway.pid, 'SIGKILL');
    await gateway.exited;
  }
  expect((await cortex('audit', 'verify', '--anchors', anchorFile)).exitCode).toBe(4);
  {
    await using gateway = await start();
    await waitForTool(url, another, 'a_x');
    expect(await gateway.stop()).toBe(0);
  }
  expect(await cortex('audit', 'verify', '--anchors', anchorFile)).toMatchObject({ exitCode: 0 });

  const dir = join(folder.path, 'state', 'audit');
  const [name = ''] = readdirSync(dir).filter((file) => file.endsWith('.jsonl'));
  const lines = readFileSync(join(dir, name), 'utf8').trimEnd().split('\n');
  const cut = lines.slice(0, -1).findLastIndex((line) => line.includes('"kind":"checkpoint"')) + 1;
  writeFileSync(join(dir, name), `${lines.slice(0, cut).join('\n')}\n`);
  expect(await cortex('audit', 'verify')).toMatchObject({ exitCode: 0 });
  expect(await cortex('audit', 'verify', '--anchors', anchorFile)).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining(`${name}:${cut}: end_missing`),
  });
  await webhook.stop(true);
}, 180_000);
