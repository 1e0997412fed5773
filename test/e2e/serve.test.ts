import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cortexCommand, startCortex, startGateway } from '../support/binary.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { callTool, listTools } from './modern-request.ts';

const technicalToken = 'technical-token';

async function setUp() {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await createTempFolder());
  const port = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const issuer = stack.use(await createIssuer({ audience: url }));
  const backend = stack.use(
    createCapturingBackend({
      technicalToken,
      tools: [{ name: 'greet', scope: 's', description: 'Greets.' }],
    }),
  );
  const settings = (backends: object) => ({
    gateway: { url, listen: `127.0.0.1:${port}` },
    auth: { issuers: [{ url: issuer.url }], challenge_scopes: ['s'] },
    backends,
  });
  const one = { a: { url: backend.url, technical_token: technicalToken } };
  const config = await writeConfig(folder.path, settings(one));
  const token = await issuer.mint({ scope: 's' });
  return { stack, folder, port, url, backend, settings, one, config, token };
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await Bun.sleep(25))
    if (await isSo()) return;
  throw new Error(`never: ${what}`);
}

describe('cortex serve', () => {
  test('takes over a changed file, keeps the old one where the new has problems, and says so', async () => {
    const { stack, folder, port, url, settings, one, config, token, backend } = await setUp();
    await using _stack = stack;
    await using cortex = await startGateway({ args: ['--config', config], cwd: folder.path, port });
    const names = async () => (await listTools(url, token)).join(' ');
    await until(async () => (await names()).includes('a_greet'), 'a_greet');

    const two = { ...one, b: { url: backend.url, technical_token: technicalToken } };
    await writeConfig(folder.path, settings(two));
    await until(async () => (await names()).includes('b_greet'), 'b_greet after the change');

    writeFileSync(config, readFileSync(config, 'utf8').replace('"backends"', '"backend"'));
    await until(() => cortex.output().includes('config.refused'), 'the refusal in the log');
    expect(cortex.output()).toContain('backends');
    expect(await names()).toContain('b_greet');

    await writeConfig(folder.path, settings({ b: two.b }));
    process.kill(cortex.pid, 'SIGHUP');
    await until(async () => !(await names()).includes('a_greet'), 'a_greet gone');
  });

  test('at SIGTERM lets a call finish, refuses new ones, and exits 0 with its socket gone', async () => {
    const { stack, folder, port, url, config, token, backend } = await setUp();
    await using _stack = stack;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    backend.answer('greet', async () => {
      await released;
      return Response.json({ said: 'hello' });
    });
    await using cortex = await startGateway({ args: ['--config', config], cwd: folder.path, port });
    await until(async () => (await listTools(url, token)).includes('a_greet'), 'a_greet');
    const socket = join(folder.path, 'state', 'control.sock');
    expect(statSync(socket).mode & 0o777).toBe(0o600);

    const call = callTool(url, token, 'a_greet');
    await until(() => backend.callsOf('greet').length === 1, 'the call at the backend');
    process.kill(cortex.pid, 'SIGTERM');
    await until(
      async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 503,
      '/readyz to say that it stops',
    );
    expect((await callTool(url, token, 'a_greet')).status).toBe(503);
    release();
    expect(await (await call).text()).toContain('hello');
    expect(await cortex.exited).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });

  test('refuses to run beside another gateway on the same state folder, and on a taken port', async () => {
    const { stack, folder, port, config } = await setUp();
    await using _stack = stack;
    await using _first = await startGateway({ args: ['--config', config], cwd: folder.path, port });
    const listen = `127.0.0.1:${freePort()}`;
    await using second = startCortex({
      args: ['serve', '--config', config, '--listen', listen],
      cwd: folder.path,
    });
    expect(await second.exited).toBe(2);
    expect(second.output()).toContain('another gateway runs on');
    const other = join(folder.path, 'other');
    await using third = startCortex({
      args: ['serve', '--config', config, '--state', other],
      cwd: folder.path,
    });
    expect(await third.exited).toBe(3);
    expect(third.output()).toContain(`cannot listen on 127.0.0.1:${port}`);
  });

  test('other commands reach it: the catalog as it is now', async () => {
    const { stack, folder, port, url, config, token } = await setUp();
    await using _stack = stack;
    await using _cortex = await startGateway({ args: ['--config', config], cwd: folder.path, port });
    await until(async () => (await listTools(url, token)).includes('a_greet'), 'a_greet');
    const asked = Bun.spawnSync(
      [...cortexCommand(), 'catalog', '--config', config, '--scope', 's', '--json'],
      {
        cwd: folder.path,
        env: { PATH: process.env.PATH ?? '', HOME: folder.path },
      },
    );
    expect(asked.stdout.toString()).toContain('"a_greet"');
  });

  test('status says how it is, and that none runs once it is gone', async () => {
    const { stack, folder, port, config } = await setUp();
    await using _stack = stack;
    const ask = (...more: readonly string[]) => {
      const env = { PATH: process.env.PATH ?? '', HOME: folder.path };
      const asked = Bun.spawnSync([...cortexCommand(), 'status', '--config', config, ...more], {
        cwd: folder.path,
        env,
      });
      return { exitCode: asked.exitCode, said: asked.stdout.toString() + asked.stderr.toString() };
    };
    const cortex = await startGateway({ args: ['--config', config], cwd: folder.path, port });
    await until(() => /a +fresh/.test(ask().said), 'the backend a');
    expect(ask()).toEqual({
      exitCode: 0,
      said: expect.stringMatching(/^gateway +ready, version .*\naudit +written/),
    });
    expect(JSON.parse(ask('--json').said)).toMatchObject({ pid: cortex.pid, ready: true });
    await cortex.stop();
    expect(ask()).toEqual({ exitCode: 3, said: expect.stringContaining('cortex serve') });
  });

  test('--dev prints a token that sees everything, and refuses what came through a proxy', async () => {
    const { stack, folder, port, url, config } = await setUp();
    await using _stack = stack;
    await using cortex = await startGateway({ args: ['--dev', '--config', config], cwd: folder.path, port });
    await until(() => /^eyJ\S+$/m.test(cortex.output()), 'the token');
    const token = /^eyJ\S+$/m.exec(cortex.output())?.[0] ?? '';
    expect(await listTools(url, token)).toContain('a_greet');
    const proxied = await fetch(url, { method: 'POST', headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect(proxied.status).toBe(403);
    expect(cortex.output()).toContain('DEV');
    // The variable that stands for its own issuer was set by nobody.
    expect(cortex.output()).not.toContain('OAUTH_ISSUER');
  });

  test('--dev is refused where the gateway is not on loopback', async () => {
    await using folder = await createTempFolder();
    const config = await writeConfig(folder.path, {
      gateway: { url: 'https://mcp.example.com/mcp' },
      auth: { issuers: [{ url: 'https://auth.example.com' }], challenge_scopes: ['s'] },
      backends: { a: { url: 'http://127.0.0.1:9', technical_token: technicalToken } },
    });
    await using cortex = startCortex({ args: ['serve', '--dev', '--config', config], cwd: folder.path });
    expect(await cortex.exited).toBe(2);
    expect(cortex.output()).toContain('--dev is for this machine alone');
  });
});
