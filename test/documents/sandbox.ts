import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBillingBackend } from '#demo/billing-backend.ts';
import { createNotesBackend } from '#demo/notes-backend.ts';
import { cortexCommand, startGateway } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitForTool } from '../support/wait-for-tool.ts';
import { blocksOf, root } from './command-blocks.ts';

export interface Ran {
  readonly code: number | undefined;
  readonly output: string;
}

/** A machine for the commands of one page: its terminal keeps variables and folder from one to the next. */
export interface Sandbox extends AsyncDisposable {
  run(command: string): Promise<Ran>;
  /** Starts a command that goes on; resolves when it has printed `until`, or has ended. Then, or with the sandbox, it is stopped. */
  start(command: string, until: RegExp, stays: boolean): Promise<Ran>;
}

const secret = 'a-secret-of-the-documents-0123456789';
const operator = 'a-token-of-an-operator-0123456789-0123456789';
const scope =
  'mcp:notes:read mcp:notes:write mcp:billing:read mcp:billing:export mcp:tasks:read mcp:tasks:write';

/** Folders of a real machine, which the sandbox has below its own. */
const systemFolders =
  /(^|[\s"'=:@(])(\/(?:etc\/(?:cortex|systemd|nginx|caddy)|var\/lib\/cortex|usr\/local\/bin|backup|srv)\b)/g;

/** `alone`: without a running gateway. */
export async function createSandbox(page: string, alone: boolean): Promise<Sandbox> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const home = join(folder.path, 'home');
  const work = join(home, 'cortex-gateway');
  const ports = {
    gateway: freePort(),
    hosted: freePort(),
    admin: freePort(),
    second: freePort(),
    tasks: freePort(),
    crm: freePort(),
  };
  const origin = `http://127.0.0.1:${ports.gateway}`;
  const url = `${origin}/mcp`;
  const issuer = parts.use(await createIssuer({ audience: url, algorithm: 'ES256' }));

  const state = join(folder.path, 'var', 'lib', 'cortex');
  await mkdir(work, { recursive: true });
  await layOutCheckout(work);
  await writeTools(folder.path, ports);
  await mkdir(join(home, '.local', 'bin'), { recursive: true });
  await symlink(join(folder.path, 'tools', 'cortex'), join(home, '.local', 'bin', 'cortex'));
  const trust = { issuer: issuer.url, jwksUri: issuer.jwksUrl, audience: url, technicalToken: secret };
  const serve = (fetch: (request: Request) => Promise<Response>) => {
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch });
    parts.defer(() => server.stop(true));
    return `http://127.0.0.1:${server.port}`;
  };
  const notes = serve(createNotesBackend(trust).fetch);
  const billing = serve(createBillingBackend(trust).fetch);
  // Somebody else's server, where nobody has linked an account.
  const linear = serve(async () => new Response('', { status: 401 }));
  for (const system of [
    'etc/cortex/keys',
    'etc/systemd/system',
    'var/lib/cortex',
    'usr/local/bin',
    'backup',
    'srv',
  ])
    await mkdir(join(folder.path, system), { recursive: true });
  for (const place of [work, join(folder.path, 'etc', 'cortex')])
    await writeFile(
      join(place, 'cortex.yaml'),
      config({ state, url, ports, issuer: issuer.url, notes, billing, linear }),
    );

  // For a backend in development, too, which expects the address that gateways have there.
  const aud = [url, 'http://127.0.0.1:3213/mcp'];
  const ada = await issuer.mint({ sub: 'ada', scope, aud });
  const environment = {
    PATH: `${join(folder.path, 'tools')}:${process.env.PATH ?? ''}`,
    HOME: home,
    SANDBOX: folder.path,
    NO_COLOR: '1',
    NOTES_TOKEN: secret,
    TOKEN: page.endsWith('admin.md') ? operator : ada,
  };
  await writeFile(join(work, 'token.txt'), `${environment.TOKEN}\n`);
  if (!alone) {
    const args = ['--config', join(work, 'cortex.yaml')];
    parts.use(await startGateway({ args, cwd: work, env: environment, port: ports.gateway }));
    await waitForTool(url, ada, 'billing_export_invoices');
    if (/backend|commands|README/.test(page)) parts.use(startTemplate(ports.crm));
  }

  const names: readonly (readonly [string | RegExp, string])[] = [
    [/https:\/\/mcp\.example\.com/g, origin],
    [/https:\/\/demo\.example\.com\/mcp/g, url],
    [/https:\/\/auth\.example\.com/g, issuer.url],
    [/127\.0\.0\.1:3213\b/g, `127.0.0.1:${ports.gateway}`],
    [/127\.0\.0\.1:3214\b/g, `127.0.0.1:${ports.admin}`],
    [/127\.0\.0\.1:3220\b/g, `127.0.0.1:${ports.gateway + 7}`],
    [/127\.0\.0\.1:4213\b/g, `127.0.0.1:${ports.second}`],
    [/127\.0\.0\.1:4820\b/g, `127.0.0.1:${ports.crm}`],
    [/127\.0\.0\.1:4830\b/g, `127.0.0.1:${ports.tasks}`],
    [/https:\/\/crm\.internal\/cortex/g, `http://127.0.0.1:${ports.crm}`],
    [/<(pseudonym|key)>/g, '"$$$1"'],
    [systemFolders, `$1${folder.path}$2`],
  ];
  const here = (command: string) => names.reduce((text, [from, to]) => text.replaceAll(from, to), command);
  for (const [name, text] of savedFiles(page)) await writeFile(join(work, name), here(text));
  if (page === 'docs/backends.md') await listenElsewhere(join(work, 'dev.yaml'), ports);
  await writeFile(join(folder.path, 'terminal'), `cd '${work}'\n`);

  function spawn(command: string, keep: boolean) {
    const terminal = join(folder.path, 'terminal');
    const after = keep ? `trap '{ export -p; printf "cd %q\\n" "$PWD"; } > ${terminal}' EXIT; ` : '';
    const script = `. ${terminal}; set -euo pipefail -o allexport; ${after}eval "$1"`;
    return Bun.spawn(['bash', '-c', script, 'bash', here(command)], {
      cwd: work,
      env: environment,
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      detached: true,
    });
  }

  const owned = parts.move();
  return {
    async run(command) {
      // Somebody is known to the gateway, whatever the command before has erased.
      if (!alone) await callAs(url, ada);
      const child = spawn(command, true);
      const [out, err] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { code: await child.exited, output: out + err };
    },
    async start(command, until, stays) {
      const child = spawn(command, false);
      let output = '';
      let code: number | undefined;
      const read = async (stream: ReadableStream<Uint8Array>) => {
        const decoder = new TextDecoder();
        for await (const chunk of stream) output += decoder.decode(chunk, { stream: true });
      };
      void read(child.stdout);
      void read(child.stderr);
      void child.exited.then((ended) => {
        code = ended;
      });
      const stop = async () => {
        if (code === undefined) process.kill(-child.pid, 'SIGTERM');
        await child.exited;
      };
      if (stays) owned.defer(stop);
      for (const deadline = Date.now() + 30_000; Date.now() < deadline; await Bun.sleep(25)) {
        if (until.test(output) || code !== undefined) break;
      }
      if (!stays) await stop();
      return { code, output };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The sources, as a clone has them, but for what is made there. */
async function layOutCheckout(work: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (['dist', '.git'].includes(name)) continue;
    await symlink(join(root, name), join(work, name));
  }
  await mkdir(join(work, 'dist'));
  await symlink('../../../tools/cortex', join(work, 'dist', 'cortex'));
}

/** Its gateway keeps the address that the template takes tokens for, and leaves that port to whoever has it. */
async function listenElsewhere(
  file: string,
  ports: { readonly gateway: number; readonly second: number },
): Promise<void> {
  const text = await readFile(file, 'utf8');
  const elsewhere = `http://127.0.0.1:3213/mcp\n  listen: 127.0.0.1:${ports.second}`;
  await writeFile(file, text.replace(`http://127.0.0.1:${ports.gateway}/mcp`, elsewhere));
}

/** The files that a page tells its reader to save. */
function savedFiles(page: string): readonly (readonly [string, string])[] {
  const first = (from: string, language: string) =>
    blocksOf(from)
      .find((block) => block.language === language)
      ?.lines.join('\n') ?? '';
  if (page === 'docs/backends.md') return [['dev.yaml', first(page, 'yaml')]];
  if (page !== 'docs/demo.md') return [];
  return [
    ['tasks.mjs', first('docs/backends.md', 'js')],
    ['mine.yaml', first(page, 'yaml')],
  ];
}

/** What is not what it is on a reader's machine. */
export const standIns =
  'sudo runs as whoever runs the tests; npx, npm and `bun run demo` fetch nothing; systemctl, useradd, chown and apt-get do nothing';

/** Commands that stand for others: the ones under test, and those that would change the machine. */
async function writeTools(
  folder: string,
  ports: { readonly gateway: number; readonly hosted: number },
): Promise<void> {
  const tools = join(folder, 'tools');
  await mkdir(tools);
  const cortex = cortexCommand()
    .map((word) => `'${word}'`)
    .join(' ');
  const listen = (port: number) => `set -- "$@" --listen 127.0.0.1:${port}`;
  const scripts = {
    cortex: `case "$*" in *--once* | *--listen*) ;; demo*--url*) ${listen(ports.hosted)} ;; demo*) ${listen(ports.gateway)} ;; esac\nexec ${cortex} "$@"`,
    bun: `case "$*" in 'run demo') exec cortex demo ;; bin/cortex.ts*) shift; exec cortex "$@" ;; esac\nexec '${process.execPath}' "$@"`,
    npx: `[ "$1 $2" = '-y bun@1.4.5' ] || { echo "npx $*: not in the sandbox" >&2; exit 90; }\nshift 2\nexec bun "$@"`,
    npm: `[ "$1" = install ] || { echo "npm $*: not in the sandbox" >&2; exit 90; }\n[ -e node_modules ] || ln -s '${join(root, 'node_modules')}' node_modules`,
    sudo: '[ "$1" != -u ] || shift 2\nexec "$@"',
    chown: ':',
    install:
      'for word; do shift; case "$word" in -o | -g) skip=1; continue ;; esac; [ -z "$skip" ] || { skip=; continue; }; set -- "$@" "$word"; done\nexec /usr/bin/install "$@"',
    useradd: ':',
    'your-forwarder': 'exec cat',
    systemctl: ':',
    'apt-get': ':',
  };
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(tools, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(tools, name), 0o755);
  }
}

/** A call as somebody, whatever becomes of it. */
async function callAs(url: string, token: string): Promise<void> {
  const name = 'notes_list_notes';
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': name,
      authorization: `Bearer ${token}`,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name, arguments: {}, _meta },
    }),
  });
  await answer.body?.cancel();
}

function startTemplate(port: number): AsyncDisposable {
  const child = Bun.spawn([process.execPath, join(root, 'templates', 'node', 'backend.js')], {
    env: { PORT: String(port), CORTEX_TECHNICAL_TOKEN: secret, PATH: process.env.PATH ?? '' },
    stdout: 'ignore',
    stderr: 'ignore',
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

function config(of: {
  readonly state: string;
  readonly url: string;
  readonly ports: { readonly gateway: number; readonly admin: number };
  readonly issuer: string;
  readonly notes: string;
  readonly billing: string;
  readonly linear: string;
}): string {
  const [free, pro] = [
    'mcp:notes:read',
    'mcp:notes:read mcp:notes:write mcp:billing:read mcp:billing:export',
  ];
  const plan = (scopes: string) => scopes.split(' ');
  const value = {
    version: 1,
    state_dir: of.state,
    gateway: { url: of.url, listen: `127.0.0.1:${of.ports.gateway}` },
    auth: { issuers: [{ url: of.issuer }] },
    plans: { pro: plan(pro), free: plan(free) },
    backends: {
      notes: { url: of.notes, technical_token: secret },
      billing: { url: of.billing, technical_token: secret },
    },
    servers: { linear: { url: of.linear, scopes: { default: 'mcp:linear:read' } } },
    admin: { listen: `127.0.0.1:${of.ports.admin}`, tokens: { docs: { token: operator, role: 'reveal' } } },
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
