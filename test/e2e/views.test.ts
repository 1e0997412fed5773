import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { facts, openTestAudit, signer } from '../audit/support/audit-kit.ts';
import { cortexCommand } from '../support/binary.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { openTmux, tmuxPath } from '../support/tmux.ts';

const tools = [
  {
    name: 'list',
    scope: 'notes:read',
    description: 'Lists notes.',
    params: { limit: 'number?' },
    annotations: { readOnlyHint: true },
  },
  { name: 'write', scope: 'notes:write', description: 'Writes a note.', params: { title: 'string' } },
  {
    name: 'evil',
    scope: 'notes:read',
    description: '\u001b]0;owned\u0007\u001b[2J\u009b31mred\u001b[?1049l',
  },
];

let folder: TempFolder;
let backend: ReturnType<typeof Bun.serve>;
beforeEach(async () => {
  folder = await createTempFolder();
  backend = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const isList = JSON.stringify(await request.json()).includes('list_tools');
      return isList ? Response.json({ tools }) : Response.json({ error: 'unknown method' }, { status: 404 });
    },
  });
  writeFileSync(
    join(folder.path, 'cortex.yaml'),
    `version: 1
state_dir: ${join(folder.path, 'state')}
gateway: { url: http://127.0.0.1:3213/mcp }
auth: { issuers: [{ url: "http://127.0.0.1:3220" }] }
plans: { pro: [notes:read, notes:write], free: [notes:read] }
backends: { notes: { url: "http://127.0.0.1:${backend.port}" } }
`,
  );
});
afterEach(async () => {
  await backend.stop(true);
  await folder.remove();
});

const open = (
  args: readonly string[],
  columns = 100,
  rows = 30,
  env: Readonly<Record<string, string>> = {},
) => openTmux({ args: [...args, '--config', 'cortex.yaml'], cwd: folder.path, columns, rows, env });
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is how a terminal is told a colour.
const colors = /\u001b\[[\d;]*[34]8;2;/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: and this, to change ground and letters.
const reversed = /\u001b\[(?:\d+;)*7m/;

describe.skipIf(tmuxPath === undefined)('cortex catalog on a terminal', { timeout: 180_000 }, () => {
  test('filters as one types, changes plans, opens the schema and gives the terminal back', async () => {
    await using terminal = await open(['catalog', '--quiet']);
    await terminal.until(/type to filter/);
    await terminal.press('writ');
    await terminal.until((screen) => screen.includes('1 of 3') && screen.includes('title*'));
    await terminal.press('Escape');
    await terminal.until(/type to filter/);
    await terminal.press('Tab', 'Tab');
    await terminal.until((screen) => !screen.includes('notes_write') && screen.includes('notes_list'));
    await terminal.press('list', 'Enter', 'C-r');
    await terminal.until(/"readOnlyHint": true/);
    await terminal.press('C-c');
    const after = await terminal.until(/left 0/);
    expect(after).not.toContain('notes_list');
  });

  test('looks through somebody’s eyes with a token that was typed, and keeps nobody’s name', async () => {
    await using issuer = await createIssuer({ audience: 'http://127.0.0.1:3213/mcp', algorithm: 'ES256' });
    const config = join(folder.path, 'cortex.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('http://127.0.0.1:3220', issuer.url));
    const token = await issuer.mint({ sub: 'ada', scope: 'notes:write' });
    await using terminal = await open(['catalog', '--quiet', '--token', '-']);
    await terminal.press(token, 'Enter');
    await terminal.until((screen) => / ada 1 +pro 3 /.test(screen) && screen.includes('notes_write'));
    await terminal.press('wri');
    await terminal.until(/1 of 1/);
    await terminal.press('C-c');
    await terminal.until(/left 0/);
    const kept = readFileSync(join(folder.path, '.config', 'cortex', 'preferences.json'), 'utf8');
    expect(JSON.parse(kept)).toMatchObject({ 'catalog.tab': 'all' });
  });

  test('remembers the tab and the form of the schema, and nothing else', async () => {
    {
      await using terminal = await open(['catalog', '--quiet']);
      await terminal.until(/type to filter/);
      await terminal.press('Tab', 'C-r', 'C-s', 'typed by hand', 'C-c');
      await terminal.until(/left 0/);
    }
    const file = readFileSync(join(folder.path, '.config', 'cortex', 'preferences.json'), 'utf8');
    expect(JSON.parse(file)).toEqual({
      'catalog.tab': 'pro',
      'catalog.sort': 'backend',
      'catalog.schema': 'json',
    });
    await using terminal = await open(['catalog', '--quiet']);
    await terminal.until((screen) => screen.includes('by backend') && screen.includes('"inputSchema"'));
  });

  test('draws itself anew at every size from 60 columns', async () => {
    await using terminal = await open(['catalog', '--quiet'], 120, 34);
    await terminal.until(/ │ notes_evil/);
    for (const [columns, rows] of [
      [80, 24],
      [60, 16],
      [160, 50],
    ] as const) {
      await terminal.resize(columns, rows);
      await terminal.until((text) => {
        const lines = text.trimEnd().split('\n');
        const isFilled = lines.length === rows && lines.at(-2) === '─'.repeat(columns);
        return isFilled && lines[0]?.startsWith(' Cortex catalog') === true && text.includes('Esc quit');
      });
    }
  });

  test('a backend’s hostile text neither clears the screen nor names the window', async () => {
    await using terminal = await open(['catalog', '--quiet']);
    const screen = await terminal.until(/<U\+001B>\]0;owned/);
    expect(screen).toContain('Cortex catalog');
    expect(screen).toContain('Esc quit');
    expect(await terminal.screen('colors')).not.toContain('\u001b[31m');
  });

  test.skipIf(process.platform !== 'linux')(
    'gives the terminal back where it is ended from outside',
    async () => {
      await using terminal = await open(['catalog', '--quiet']);
      await terminal.until(/type to filter/);
      await terminal.signal('SIGTERM');
      const after = await terminal.until(/left 143/);
      expect(after).not.toContain('notes_list');
    },
  );

  test('has colours for a dark and for a light ground, and none with NO_COLOR', async () => {
    const drawn = async (env: Readonly<Record<string, string>>, ...args: readonly string[]) => {
      await using terminal = await open(['catalog', '--quiet', ...args], 100, 30, env);
      await terminal.until(/type to filter/);
      const screen = await terminal.screen('colors');
      await terminal.press('C-c');
      await terminal.until(/left 0/);
      return screen;
    };
    const dark = await drawn({ COLORFGBG: '15;0' });
    const light = await drawn({ COLORFGBG: '0;15' });
    expect(dark).toMatch(colors);
    expect(light).toMatch(colors);
    expect(light).not.toBe(dark);
    const without = await drawn({ NO_COLOR: '1' });
    expect(without).not.toMatch(colors);
    expect(without).toMatch(reversed);
    expect(await drawn({}, '--no-color')).not.toMatch(colors);
  });

  test('is a table with --plain, with TERM=dumb, and where stdin is no terminal', async () => {
    for (const [args, env] of [
      [['catalog', '--plain'], {}],
      [['catalog'], { TERM: 'dumb' }],
    ] as const) {
      await using terminal = await open(args, 100, 30, env);
      const screen = await terminal.until(/left 0/);
      expect(screen).toContain('notes_list');
      expect(screen).not.toContain('type to filter');
    }
    const piped = Bun.spawn([...cortexCommand(), 'catalog', '--config', 'cortex.yaml'], {
      cwd: folder.path,
      env: { PATH: process.env.PATH ?? '', HOME: folder.path },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
    });
    const stdout = await new Response(piped.stdout).text();
    expect(await piped.exited).toBe(0);
    expect(stdout).toMatch(/^TOOL +SCOPES/);
    expect(stdout).not.toContain('\u001b');
  });
});

describe.skipIf(tmuxPath === undefined)('cortex audit tail on a terminal', { timeout: 180_000 }, () => {
  let audit: Awaited<ReturnType<typeof openTestAudit>>;
  const dir = () => join(folder.path, 'audit');
  const key = signer.publicKeys[0] ?? '';
  const args = () => ['audit', 'tail', '--dir', dir(), '--public-key', key];
  beforeEach(async () => {
    audit = await openTestAudit(dir());
    for (let index = 0; index < 30; index++)
      await audit.record(facts({ tool: `notes_t${index % 3}`, latencyMs: index }));
    await audit.record(facts({ tool: 'pay', outcome: 'refused', code: 'scope_missing' }));
    return () => audit.close();
  });

  test('shows what is there, follows what comes, filters, opens a record, and gives the terminal back', async () => {
    await using terminal = await open([...args(), '-f']);
    const first = await terminal.until(
      (screen) => screen.includes('Slowest tools') && /scope_missing +━/.test(screen),
    );
    expect(first).toMatch(/● following +chain holds ✓/);
    expect(first).toMatch(/notes_t2 +━/);
    await audit.record(facts({ tool: 'arrived_now' }));
    await terminal.until(/arrived_now/);
    await terminal.press('f');
    await terminal.until(/standing still/);
    await audit.record(facts({ tool: 'arrived_later' }));
    await terminal.until(/standing still, 1 new/);
    await terminal.press('f');
    await terminal.until(/arrived_later/);
    await terminal.press('/', 'arrived', 'Enter');
    await terminal.until((screen) => !screen.includes('notes_t') && screen.includes('filter: arrived'));
    await terminal.press('Enter');
    await terminal.until(/agent +claude-code\/2/);
    await terminal.press('q');
    const after = await terminal.until(/left 0/);
    expect(after).not.toContain('arrived');
  });

  test('without -f it stands still until it is told to follow', async () => {
    await using terminal = await open(args());
    await terminal.until((screen) => screen.includes('standing still') && screen.includes('notes_t'));
    await terminal.press('f');
    await terminal.until(/● following/);
    await terminal.press('C-c');
    await terminal.until(/left 0/);
  });

  test('draws itself anew at every size from 60 columns', async () => {
    await using terminal = await open([...args(), '-f'], 120, 34);
    await terminal.until(/Slowest tools/);
    for (const [columns, rows] of [
      [80, 24],
      [60, 16],
      [160, 50],
    ] as const) {
      await terminal.resize(columns, rows);
      await terminal.until((text) => {
        const lines = text.trimEnd().split('\n');
        const isFilled = lines.length === rows && lines.at(-2) === '─'.repeat(columns);
        return isFilled && lines[0]?.startsWith(' Cortex audit') === true && text.includes('q quit');
      });
    }
  });

  test('a record changed by hand is said while it follows, and makes the exit code 1', async () => {
    await audit.close();
    const file = join(dir(), readdirSync(dir()).find((name) => name.endsWith('.jsonl')) ?? '');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"tool":"notes_t1"', '"tool":"notes_t9"'));
    await using terminal = await open([...args(), '-f', '-q']);
    await terminal.until(/chain broken ✗ 1/);
    await terminal.press('q');
    expect(await terminal.until(/left \d/)).toMatch(/broken: .*jsonl:\d+: edited[\s\S]*left 1/);
  });

  test('a record’s hostile text neither clears the screen nor leaves its place, and NO_COLOR leaves no colour', async () => {
    await audit.record(facts({ tool: 'evil\u001b[2J\u009b31m', agent: '\u001b]0;owned\u0007' }));
    await using terminal = await open([...args(), '-f'], 100, 30, { NO_COLOR: '1' });
    const screen = await terminal.until(/evil<U\+001B>\[2J/);
    expect(screen).toContain('Cortex audit');
    expect(await terminal.screen('colors')).not.toMatch(/\[(?:\d+;)*3[0-7]m|[34]8;/);
  });

  test('is lines with --plain', async () => {
    await using terminal = await open([...args(), '--plain', '-n', '2']);
    const screen = await terminal.until(/left 0/);
    expect(screen).toContain('tools/call pay on notes');
    expect(screen).not.toContain('Slowest');
  });
});
