import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../outbound/certificates.ts';
import { startCortex } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { startNginx, untilOpen } from '../support/nginx.ts';
import { runGateway } from '../support/running-gateway.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

const page = await Bun.file(join(import.meta.dirname, '../../docs/reverse-proxies.md')).text();

let folder: TempFolder;
let ca: string;
let certificate: string;
let key: string;
beforeAll(async () => {
  folder = await createTempFolder();
  const made = await makeCertificates();
  const write = async (name: string, text: string) => {
    const path = join(folder.path, name);
    await Bun.write(path, text);
    return path;
  };
  ca = await write('ca.pem', made.ca);
  certificate = await write('fullchain.pem', made.good);
  key = await write('privkey.pem', made.key);
  await write('both.pem', made.good + made.key);
});
afterAll(() => folder.remove());

/** The configuration that the page shows, for this machine: other ports, other files. */
function recipe(language: string, port: number, upstream: string): string {
  const [, block] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(page) ?? [];
  if (block === undefined) throw new Error(`the page has no ${language}`);
  expect(block).toContain('127.0.0.1:3213');
  return block
    .replaceAll('127.0.0.1:3213', upstream)
    .replaceAll(/\/etc\/\S*fullchain\.pem/g, certificate)
    .replaceAll(/\/etc\/\S*privkey\.pem/g, key)
    .replaceAll(/\/etc\/haproxy\/certs\/\S+/g, join(folder.path, 'both.pem'))
    .replaceAll('mcp.example.com', '127.0.0.1')
    .replaceAll(/(listen |bind :|\*:)443/g, `$1${port}`);
}

async function spawnProxy(command: readonly string[], port: number): Promise<AsyncDisposable> {
  const child = Bun.spawn([...command], {
    detached: true,
    env: { PATH: process.env.PATH ?? '', HOME: folder.path },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  });
  let exitCode: number | undefined;
  void child.exited.then((code) => {
    exitCode = code;
  });
  const stop = async () => {
    // With its workers, which would stay behind and keep the port.
    process.kill(-child.pid, 'SIGKILL');
    await child.exited;
  };
  await untilOpen(port, () => exitCode !== undefined).catch(async (error: unknown) => {
    await stop();
    throw new Error(`${String(error)}: ${await new Response(child.stderr).text()}`);
  });
  return { [Symbol.asyncDispose]: stop };
}

interface Proxy {
  readonly name: string;
  /** Undefined: it is not on this machine. */
  readonly program: string | undefined;
  start(port: number, upstream: string): Promise<AsyncDisposable>;
}

const which = (name: string) => Bun.which(name) ?? undefined;

const proxies: readonly Proxy[] = [
  {
    name: 'nginx',
    program: which('nginx'),
    start: (port, upstream) => startNginx(join(folder.path, 'nginx'), port, recipe('nginx', port, upstream)),
  },
  {
    name: 'Caddy',
    program: which('caddy'),
    async start(port, upstream) {
      const file = join(folder.path, 'Caddyfile');
      // Its own certificate is the one thing that needs the internet.
      const site = recipe('caddyfile', port, upstream).replace(
        '127.0.0.1 {',
        `https://127.0.0.1:${port} {\n    tls ${certificate} ${key}`,
      );
      await Bun.write(file, `{\n    admin off\n    auto_https disable_redirects\n}\n${site}`);
      return spawnProxy(['caddy', 'run', '--adapter', 'caddyfile', '--config', file], port);
    },
  },
  {
    name: 'HAProxy',
    program: which('haproxy'),
    async start(port, upstream) {
      const file = join(folder.path, 'haproxy.cfg');
      await Bun.write(file, recipe('haproxy', port, upstream));
      return spawnProxy(['haproxy', '-db', '-f', file], port);
    },
  },
  {
    name: 'Apache',
    program: which('apache2'),
    async start(port, upstream) {
      const file = join(folder.path, 'apache.conf');
      const modules = ['mpm_event', 'authz_core', 'ssl', 'proxy', 'proxy_http'].map(
        (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
      );
      const rest = `Listen ${port}\nServerName 127.0.0.1\nPidFile ${folder.path}/apache.pid\nErrorLog ${folder.path}/apache.log\nDefaultRuntimeDir ${folder.path}\nUser www-data\nGroup www-data`;
      await Bun.write(file, `${modules.join('\n')}\n${rest}\n${recipe('apache', port, upstream)}`);
      return spawnProxy(['apache2', '-D', 'FOREGROUND', '-d', folder.path, '-f', file], port);
    },
  },
];

describe.concurrent('the configuration in docs/reverse-proxies.md', () => {
  for (const { name, program, start } of proxies) {
    const title = `lets the doctor all the way through the real ${name}${program === undefined ? ' (not on this machine: apt-get install it)' : ''}`;
    test.skipIf(program === undefined)(title, { timeout: 90_000 }, async () => {
      const port = freePort();
      const url = `https://127.0.0.1:${port}/mcp`;
      await using gateway = await runGateway({
        config: {
          gateway: { url, listen: '127.0.0.1:0', origins: ['https://claude.ai'] },
          auth: { challenge_scopes: ['mcp:test'] },
        },
        backends: { notes: {} },
      });
      await using _proxy = await start(port, new URL(gateway.listen()).host);
      const token = await gateway.issuer.mint({ aud: url, scope: 'mcp:test' });
      // Longer than the pause between two signs of life.
      const options = '--json --quiet --origin https://claude.ai --listen-for 14';
      await using told = startCortex({
        args: ['doctor', url, ...options.split(' '), '--token', token],
        cwd: folder.path,
        env: { NODE_EXTRA_CA_CERTS: ca },
      });
      const exitCode = await told.exited;
      const { steps } = JSON.parse(told.output());
      const remarkable = steps.filter(({ status }: { status: string }) => status !== 'ok');
      // The issuer of these tests registers nobody.
      expect(remarkable).toMatchObject([{ step: 'registration', status: 'warning' }]);
      expect(steps.map(({ step }: { step: string }) => step)).toEqual(
        expect.arrayContaining(['dns', 'tls', 'preflight', 'call', 'stream', 'idle']),
      );
      expect(exitCode).toBe(0);
    });
  }
});
