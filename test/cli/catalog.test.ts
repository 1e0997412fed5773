import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { serialiseSnapshot } from '#catalog/serialise-snapshot.ts';
import { commands } from '#cli/commands.ts';
import type { JsonObject } from '#kernel/json.ts';
import { snapshotOf, source, tool } from '../catalog/samples.ts';
import { startNativeServer } from '../gateway/support/native-server.ts';
import { run } from './run.ts';

const tools = [
  { name: 'list', scope: 'notes:read', description: 'Lists notes. At length.', params: { limit: 'number?' } },
  { name: 'write', scope: 'notes:write', description: 'Writes a note.' },
  { name: 'secret', description: 'Names no scope.' },
];
const takeover = '\u001b]0;owned\u0007\u009b2J';

let folder: string;
let isUp: boolean;
/** Its error, in its own words. */
let says: string | undefined;
beforeEach(() => {
  isUp = true;
  says = undefined;
  folder = mkdtempSync(join(tmpdir(), 'cortex-catalog-'));
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      if (says !== undefined) return Response.json({ error: says }, { status: 500 });
      if (!isUp) return new Response('down', { status: 503 });
      const body: unknown = await request.json();
      if (JSON.stringify(body).includes('list_tools')) return Response.json({ tools });
      return Response.json({ error: 'unknown method' }, { status: 404 });
    },
  });
  writeFileSync(
    join(folder, 'cortex.yaml'),
    `version: 1
state_dir: ${join(folder, 'state')}
gateway: { url: http://127.0.0.1:3213/mcp }
auth: { issuers: [{ url: "http://127.0.0.1:3220" }], scope_implies: { admin: [notes:write] } }
plans: { pro: [notes:read, notes:write], free: [notes:read] }
backends: { notes: { url: "http://127.0.0.1:${server.port}", technical_token: secret-token-of-the-catalog } }
`,
  );
  return async () => {
    await server.stop(true);
    rmSync(folder, { recursive: true });
  };
});

const catalog = (line: string) =>
  run(`catalog ${line} --config ${join(folder, 'cortex.yaml')}`, { commands, cwd: folder });

describe('cortex catalog, where no gateway runs', () => {
  test('asks the backends, and shows a table', async () => {
    const { exitCode, stdout, stderr } = await catalog('');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(
      /^TOOL +SCOPES +BYTES +DESCRIPTION\nnotes_list +notes:read +\d+ +Lists notes\.\nnotes_write /,
    );
    expect(stderr).toContain('withheld: tool secret of notes: no_scope');
    expect(stdout + stderr).not.toContain('secret-token');
  });

  test('lets no backend drive the terminal', async () => {
    const kept = tools.splice(0, tools.length, { name: 'n\u009b2J', description: takeover });
    tools.push({ name: 'x', scope: 's', description: `See ${takeover} here` });
    const listed = await catalog('');
    tools.splice(0, tools.length, ...kept);
    expect(listed.stdout).toContain('See ?]0;owned??2J here');
    expect(listed.stderr).toContain('withheld: tool n?2J of notes');
    says = takeover;
    const down = await catalog('');
    const why = await catalog('--why notes_list');
    const all = [listed, down, why].map(({ stdout, stderr }) => stdout + stderr).join('');
    expect(all).toContain('owned');
    expect([...all].filter((character) => /\p{Cc}/u.test(character) && character !== '\n')).toEqual([]);
  });

  test('shows what a plan, a scope, or an implied scope sees', async () => {
    const names = async (line: string) => {
      const { stdout } = await catalog(`${line} --json`);
      return JSON.parse(stdout).tools.map((one: { publicName: string }) => one.publicName);
    };
    expect(await names('--scope free')).toEqual(['notes_list']);
    expect(await names('--plan pro')).toEqual(['notes_list', 'notes_write']);
    expect(await names('--scope admin')).toEqual(['notes_write']);
    expect(await names('--scope nothing')).toEqual([]);
    expect(await names('--scope pro --search writes')).toEqual(['notes_write']);
  });

  test('in search mode shows compact tools', async () => {
    const { stdout } = await catalog('--scope free --mode search --json');
    expect(JSON.parse(stdout)).toMatchObject({
      source: 'polled',
      scopes: ['notes:read'],
      tools: [{ wire: { description: 'Lists notes.', inputSchema: { type: 'object' } } }],
    });
  });

  test('compares two plans', async () => {
    const { stdout, stderr, exitCode } = await catalog('--diff free pro');
    expect({ stdout, exitCode }).toEqual({ stdout: '+ notes_write\n', exitCode: 0 });
    expect(stderr).toContain('free: 1 tool; pro: 2; both: 1.');
    expect((await catalog('--diff free')).exitCode).toBe(2);
  });

  test('says why a tool is hidden, and ends with 1', async () => {
    const hidden = await catalog('--plan free --why notes_write');
    expect(hidden.exitCode).toBe(1);
    expect(hidden.stdout).toMatch(/scopes +HIDDEN +missing notes:write\n$/);
    expect((await catalog('--plan pro --why notes_write')).exitCode).toBe(0);
  });

  test('counts what a list costs in each mode, the gateway’s own tools included', async () => {
    const { stdout } = await catalog('--plan free --cost --json');
    const { costs } = JSON.parse(stdout);
    expect(costs).toMatchObject([{ mode: 'full' }, { mode: 'search' }]);
    expect(costs[0].tools).toBeGreaterThan(2);
    expect(costs[0].estimatedTokens).toBe(Math.round(costs[0].bytes / 4));
  });

  test.each([
    ['--plan fre', 2, /no plan is called fre.*\n.*cortex catalog --plan free/],
    ['--backend crm', 2, /no backend is called crm/],
    ['--mode half', 2, /half/],
  ])('refuses %s and says what to type', async (line, code, text) => {
    const { exitCode, stderr } = await catalog(line);
    expect(exitCode).toBe(code);
    expect(stderr).toMatch(text);
  });

  test('ends with 3 when no backend can be reached', async () => {
    isUp = false;
    const { exitCode, stderr } = await catalog('');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/notes is gone: failed/);
  });
});

function answering(catalogJson: JsonObject) {
  mkdirSync(join(folder, 'state'));
  return Bun.serve({
    unix: join(folder, 'state', 'control.sock'),
    fetch: ({ url }) =>
      new URL(url).pathname === '/catalog'
        ? Response.json(catalogJson)
        : new Response('unknown', { status: 404 }),
  });
}

describe('cortex catalog, where a gateway runs', () => {
  test('shows what that one serves', async () => {
    const { snapshot } = snapshotOf([source('crm', { tools: [tool('find')] }, { status: 'stale' })]);
    const gateway = answering(serialiseSnapshot(snapshot));
    try {
      const { stdout, stderr, exitCode } = await catalog('--json');
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        source: 'gateway',
        tools: [{ publicName: 'crm_find', stale: true }],
      });
      expect(stderr).toContain('crm is stale');
    } finally {
      await gateway.stop(true);
    }
  });

  test('of another version says so', async () => {
    const gateway = answering({ tools: 'other' });
    const { exitCode, stderr } = await catalog('');
    await gateway.stop(true);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('another version');
  });
});

describe('servers, where no gateway runs', () => {
  const marker = () => join(folder, 'was-run');
  async function withServers(lines: string): Promise<void> {
    const file = join(folder, 'cortex.yaml');
    writeFileSync(file, `${readFileSync(file, 'utf8')}servers:\n${lines}\n`);
  }
  const command = () =>
    `  files: { command: [touch, "${marker()}"], identity: none, scopes: { default: notes:read } }`;

  test('are asked as nobody, and shown beside the backends', async () => {
    await using native = startNativeServer();
    await withServers(`  open: { url: "${native.url}", identity: none, scopes: { default: notes:read } }`);
    const { stdout, exitCode } = await catalog('--plan free --backend open');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('open_echo');
    expect(stdout).not.toContain('notes_list');
    for (const { headers } of native.requests) expect(headers.get('authorization')).toBeNull();
  });

  test('with linked accounts are not asked: everybody’s list is their own', async () => {
    await using native = startNativeServer();
    await withServers(`  mine: { url: "${native.url}", scopes: { default: notes:read } }`);
    const { stderr, exitCode } = await catalog('');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'mine lists to each user what their own account may use; that is not shown here.',
    );
    expect(native.requests).toEqual([]);
  });

  test('that are commands of a file in the current folder are not run unless the file is named', async () => {
    await withServers(command());
    const found = await run('catalog', { commands, cwd: folder });
    expect(found.stderr).toContain(
      'files was not asked: its command stands in a file that was found in the current folder',
    );
    expect(found.stderr).toContain(`add --config ${join(folder, 'cortex.yaml')}`);
    expect(existsSync(marker())).toBe(false);
  });

  test('that are commands are run by no check, even of a file that is named', async () => {
    await withServers(command());
    const checked = await run(`check --config ${join(folder, 'cortex.yaml')}`, { commands, cwd: folder });
    expect(checked.exitCode).toBe(0);
    expect(checked.stdout).toContain('servers.files.command');
    expect(existsSync(marker())).toBe(false);
  });
});
