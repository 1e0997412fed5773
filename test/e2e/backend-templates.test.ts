import { mkdtemp, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cortexCommand, startGateway } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { connectClient } from './support/any-client.ts';

const technicalToken = 'a-secret-of-both-sides';
const needs = { bun: 'bun', node: 'node', python: 'python3', go: 'go' } as const;
const tests = {
  bun: 'bun test',
  node: 'node --test',
  python: '.venv/bin/python -m unittest',
  go: 'go test ./...',
} as const;

/** Bun first; without the folder in which `bun --bun` calls itself node. */
const realPath = [dirname(process.execPath), ...(process.env.PATH ?? '').split(':')]
  .filter((folder) => !folder.includes('bun-node'))
  .join(':');

/** The way of an application owner, from an empty folder to an agent's call, with what the command prints. */
describe.each(['bun', 'node', 'python', 'go'] as const)(
  'a backend begun with the template %s',
  (template) => {
    const hasLanguage = Bun.which(needs[template], { PATH: realPath }) !== null;
    if (!hasLanguage) console.log(`skipped: ${needs[template]} is not installed`);

    test.skipIf(!hasLanguage)(
      'starts, passes its own test and the contract’s, and is called through the gateway',
      { timeout: 180_000 },
      async () => {
        await using folder = await createTempFolder();
        const cwd = folder.path;
        const port = freePort();
        const gatewayPort = freePort();
        const url = `http://127.0.0.1:${gatewayPort}/mcp`;
        const env = {
          PATH: realPath,
          HOME: process.env.HOME ?? cwd,
          CORTEX_TECHNICAL_TOKEN: technicalToken,
        };
        const made = Bun.spawnSync([...cortexCommand(), 'backend', 'init', 'crm', '--template', template], {
          cwd,
          env,
        });
        const printed = made.stdout.toString().trimEnd().split('\n');
        const start = /^start: (.*)$/.exec(printed.at(-1) ?? '')?.[1] ?? '';
        expect(start).not.toBe('');

        await using backend = await startBackend(
          start,
          { ...env, PORT: String(port), OAUTH_AUDIENCE: url },
          cwd,
        );
        expect(backend.output()).toContain('development');
        const own = Bun.spawnSync(['sh', '-c', tests[template]], { cwd: join(cwd, 'crm'), env });
        expect(own.exitCode, own.stdout.toString() + own.stderr.toString()).toBe(0);
        const checked = Bun.spawnSync(
          [...cortexCommand(), 'backend', 'check', `http://127.0.0.1:${port}`, '--audience', url],
          { cwd, env },
        );
        expect(checked.exitCode, checked.stdout.toString()).toBe(0);
        expect(checked.stdout.toString()).toContain(' 0 failed, 0 to look at, 0 skipped');

        const config = join(await mkdtemp(join(cwd, 'gateway-')), 'cortex.yaml');
        const lines = printed.slice(0, 3).map((line) => line.replace(':4820', `:${port}`));
        const head = [
          'version: 1',
          'state_dir: state',
          'gateway:',
          `  url: ${url}`,
          `  listen: 127.0.0.1:${gatewayPort}`,
        ];
        await writeFile(
          config,
          [...head, 'auth:', '  challenge_scopes: [mcp:crm:read]', 'backends:', ...lines].join('\n'),
        );
        await using gateway = await startGateway({
          args: ['--dev', '--config', config],
          cwd,
          port: gatewayPort,
          env: { CORTEX_TECHNICAL_TOKEN: technicalToken },
        });
        const token = await tokenIn(gateway.output);
        const client = await connectClient('v2, modern', url, token);
        expect(await client.tools()).toEqual(expect.arrayContaining(['crm_add_task', 'crm_list_tasks']));
        expect((await client.call('crm_add_task', { title: 'Tea' })).isError).toBe(false);
        expect((await client.call('crm_list_tasks')).text).toContain('Tea');
        expect((await client.call('crm_complete_task', { id: 'nobody' })).text).toContain('no such task');
        await client.close();
      },
    );
  },
);

async function tokenIn(output: () => string): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const token = /^eyJ\S+$/m.exec(output())?.[0];
    if (token !== undefined) return token;
    await Bun.sleep(50);
  }
  throw new Error(`no token was printed:\n${output()}`);
}

async function startBackend(
  command: string,
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<AsyncDisposable & { output(): string }> {
  const child = Bun.spawn(['setsid', 'sh', '-c', command], {
    cwd,
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  let text = '';
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const drain = async (stream: ReadableStream<Uint8Array>) => {
    for await (const chunk of stream) {
      text += new TextDecoder().decode(chunk);
      if (/listening on \d+/.test(text)) resolve();
    }
  };
  void drain(child.stdout);
  void drain(child.stderr);
  const ended = child.exited.then((code) => {
    throw new Error(`the backend ended with ${code}:\n${text}`);
  });
  await Promise.race([listening, ended]);
  ended.catch(() => {});
  return {
    output: () => text,
    async [Symbol.asyncDispose]() {
      process.kill(-child.pid, 'SIGKILL');
      await child.exited;
    },
  };
}
