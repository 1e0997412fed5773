import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import { commands } from '#cli/commands.ts';
import { systemClock } from '#kernel/clock.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { silentLog } from '#kernel/log.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { keptAnchors } from '../audit/support/anchor-kit.ts';
import { facts, openTestAudit, principal, ringOf, tempDir } from '../audit/support/audit-kit.ts';
import { run } from './run.ts';

let folder = '';
let dir = '';
let ada = '';
beforeEach(async () => {
  folder = tempDir();
  dir = join(folder, 'audit');
  for (const sub of ['keys', 'state']) mkdirSync(join(folder, sub), { mode: 0o700 });
  for (const [name, fill] of [
    ['checkpoint', 1],
    ['audit', 2],
  ] as const) {
    const text = ringOf(fill).newest.secret.export().toString('base64url');
    writeFileSync(join(folder, 'keys', `${name}.key`), text, { mode: 0o600 });
  }
  writeFileSync(
    join(folder, 'cortex.yaml'),
    `version: 1
state_dir: ${join(folder, 'state')}
gateway: { url: http://127.0.0.1:3213/mcp }
auth: { issuers: [{ url: "https://auth.example.com" }] }
plans: { free: [notes:read] }
backends: { notes: { url: "http://127.0.0.1:4820" } }
audit: { dir: ${dir} }
`,
  );
  const store = openSqliteStore(join(folder, 'state', 'cortex.db'));
  const pseudonyms = createPseudonyms({ keys: ringOf(2), store, clock: systemClock, log: silentLog });
  const { anchors, lines } = keptAnchors();
  const audit = await openTestAudit(dir, { pseudonyms, anchors });
  for (let index = 1; index <= 10; index++)
    await audit.record(facts({ latencyMs: index * 10, principal: principal('ada') }));
  await audit.record(facts({ tool: 'pay', backend: 'billing', outcome: 'refused', code: 'scope_missing' }));
  await audit.record(facts({ tool: 'x\u001b[2J\n|=y', outcome: 'error', code: 'timeout' }));
  await audit.record(facts({ method: 'tools/list', tool: undefined, backend: undefined, listBytes: 4_000 }));
  ada = await pseudonyms.of(principal('ada'));
  await audit.close();
  await store.close();
  writeFileSync(join(folder, 'anchors'), lines.join('\n'));
  return () => rmSync(folder, { recursive: true, force: true });
});

const cortex = (line: string) =>
  run(`${line} --config ${join(folder, 'cortex.yaml')}`, { commands, cwd: folder });
const file = () => join(dir, readdirSync(dir).find((name) => name.endsWith('.jsonl')) ?? '');
const breakIt = () =>
  writeFileSync(file(), readFileSync(file(), 'utf8').replace('"tool":"pay"', '"tool":"pat"'));
function parse(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (!isJsonObject(value)) throw new Error(text);
  return value;
}

describe('cortex audit stats', () => {
  test('shows calls, errors and times of each tool, backend and plan', async () => {
    const { exitCode, stdout } = await cortex('audit stats');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^tool +calls +errors +refused +p50 ms +p95 ms +p99 ms +list tokens$/m);
    expect(stdout).toMatch(/^notes_list +10 +0 +0 +\S+ +\S+ +\S+ +-$/m);
    expect(stdout).toMatch(/^pay +1 +0 +1 +- +- +- +-$/m);
    expect(stdout).toMatch(/^free +13 +1 +1 .* 1000$/m);
    expect(stdout).toMatch(/\n13 calls\n$/);
    expect(stdout).toContain('x?[2J?|=y');
  });

  test('shows one table, of the records that are picked', async () => {
    const { stdout } = await cortex('audit stats --by backend --outcome refused');
    expect(stdout).not.toContain('notes');
    expect(stdout.split('\n')[0]).toMatch(/^backend /);
    expect(stdout).toMatch(/^billing +1 /m);
  });

  test('--json has every outcome', async () => {
    const report = parse((await cortex('audit stats --json')).stdout);
    expect(report).toMatchObject({
      total: { calls: 13, outcomes: { ok: 11, error: 1, refused: 1, cancelled: 0, input_required: 0 } },
      by_plan: [{ name: 'free', lists: 1, list_bytes: 4_000, tokens_per_list: 1_000 }],
      breaks: 0,
    });
  });

  test('over a chain that does not hold: says where, and 1', async () => {
    breakIt();
    const { exitCode, stderr, stdout } = await cortex('audit stats --json');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/broken: audit-\S+:12: edited/);
    expect(parse(stdout)).toMatchObject({ breaks: 1 });
  });
});

describe('cortex audit export', () => {
  test('gives the records as they are, one a line, without checkpoints', async () => {
    const { exitCode, stdout } = await cortex('audit export');
    expect(exitCode).toBe(0);
    const lines = readFileSync(file(), 'utf8').split('\n');
    expect(stdout.split('\n')).toEqual(lines.filter((line) => !line.includes('"kind":"checkpoint"')));
  });

  test('gives CEF and OCSF, one event a line, whatever the names are', async () => {
    const cef = (await cortex('audit export --format cef')).stdout.trimEnd().split('\n');
    expect(cef).toHaveLength(14);
    for (const line of cef) expect(line).toMatch(/^CEF:0\|Cortex\|Cortex Gateway\|/);
    expect(cef.find((line) => line.includes('timeout'))).toContain('cs1=x?[2J\\n|\\=y ');
    const ocsf = (await cortex('audit export --format ocsf --outcome refused')).stdout;
    expect(parse(ocsf)).toMatchObject({ class_uid: 6003, status_code: 'scope_missing', severity_id: 3 });
  });

  test('gives the checkpoints, which `audit verify --anchors` takes', async () => {
    const { stdout } = await cortex('audit export --format anchors');
    writeFileSync(join(folder, 'own'), stdout);
    expect(await cortex('audit verify --anchors own')).toMatchObject({ exitCode: 0 });
  });

  test('picks by time', async () => {
    expect((await cortex('audit export --until 1h')).stdout).toBe('');
    expect((await cortex('audit export --since 1h')).stdout.trimEnd().split('\n')).toHaveLength(14);
    expect((await cortex('audit export --since 2100-01-01')).stdout).toBe('');
  });

  test.each([
    ['--format xml', 2],
    ['--format constructor', 2],
    ['--format anchors -f', 2],
    ['--until someday', 2],
  ])('%s is refused', async (option, exitCode) => {
    expect(await cortex(`audit export ${option}`)).toMatchObject({ exitCode, stdout: '' });
  });

  test('over a chain that does not hold: all there is, where it breaks, and 1', async () => {
    breakIt();
    const { exitCode, stdout, stderr } = await cortex('audit export --format cef');
    expect({ exitCode, lines: stdout.trimEnd().split('\n').length }).toEqual({ exitCode: 1, lines: 14 });
    expect(stderr).toContain('edited');
  });

  test('-f goes on with what is written, until it is stopped', async () => {
    const bin = join(import.meta.dirname, '../../bin/cortex.ts');
    const config = join(folder, 'cortex.yaml');
    const follower = Bun.spawn(['bun', bin, 'audit', 'export', '-f', '--format', 'cef', '--config', config], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    const reader = follower.stdout.getReader();
    let text = new TextDecoder().decode((await reader.read()).value);
    const audit = await openTestAudit(dir);
    await audit.record(facts({ tool: 'later' }));
    await audit.close();
    while (!text.includes('cs1=later')) {
      const part = await reader.read();
      if (part.done) break;
      text += new TextDecoder().decode(part.value);
    }
    follower.kill('SIGINT');
    expect(await follower.exited).toBe(0);
    expect(text).toContain('cs1=later');
  });
});

describe('cortex audit verify --anchors', () => {
  test('says up to when the files are vouched for', async () => {
    const { exitCode, stdout, stderr } = await cortex('audit verify --anchors anchors');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/signed up to \S+, anchored up to \S+ intact\nintact\n$/);
    expect(stderr).toContain('1 anchor of 1 chain');
  });

  test.each([
    ['a file that is not there', 'audit verify --anchors nowhere', /there is no file .*nowhere/],
    ['a file without a checkpoint', 'audit verify --anchors cortex.yaml', /no checkpoint stands in/],
  ])('%s: 2', async (_name, line, message) => {
    const { exitCode, stderr } = await cortex(line);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('a file of anchors cannot drive the terminal', async () => {
    const [line = ''] = readFileSync(join(folder, 'anchors'), 'utf8').split('\n');
    writeFileSync(join(folder, 'hostile'), line.replace(/"key":"[^"]*"/, '"key":"\\u001b[2J\\u202e"'));
    const { exitCode, stdout } = await cortex('audit verify --anchors hostile');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('hostile:1: unknown_key');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not come through.
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
  });
});

describe('cortex audit reveal', () => {
  const recorded = () =>
    readFileSync(file(), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"kind":"reveal"'))
      .map(parse);

  test('names the person while no gateway runs, and records it', async () => {
    const { exitCode, stdout } = await cortex(`audit reveal ${ada} --reason incident-12`);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `${ada} is ada of https://auth.example.com\n`,
    });
    expect(recorded()).toMatchObject([{ actor: 'local', user: ada, reason: 'incident-12', outcome: 'ok' }]);
    expect((await cortex('audit verify')).exitCode).toBe(0);
    const json = await cortex(`audit reveal ${ada} --reason again --json`);
    expect(parse(json.stdout)).toEqual({ user: ada, issuer: 'https://auth.example.com', subject: 'ada' });
  });

  test.each([
    ['without a reason', () => `audit reveal ${ada}`, 2, '--reason'],
    ['with one that says nothing', () => `audit reveal ${ada} --reason ...`, 1, 'say why'],
    ['of what is no pseudonym', () => 'audit reveal ada --reason why', 1, 'pseudonym'],
  ])('%s names nobody and records nothing', async (_name, line, exitCode, message) => {
    const result = await cortex(line());
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain('next: ');
    expect(result.stdout).toBe('');
    expect(recorded()).toEqual([]);
  });

  test.each([`-${'A'.repeat(21)}`, `--${'A'.repeat(20)}`, `-q${'A'.repeat(20)}`, `-f${'-'.repeat(20)}`])(
    'takes a pseudonym that begins like an option, wherever it stands: %s',
    async (user) => {
      for (const line of [`audit reveal ${user} --reason why`, `audit reveal --reason why ${user}`])
        expect(await cortex(line)).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining('nobody is called'),
        });
      expect(recorded()).toMatchObject([{ user }, { user }]);
      expect(await cortex(`audit tail --user ${user}`)).toMatchObject({ exitCode: 0 });
      const asReason = await cortex(`audit reveal ${user} --reason ${user}`);
      expect(asReason.stderr).toContain('nobody is called');
    },
  );

  test('of nobody: 1, and recorded', async () => {
    const nobody = 'A'.repeat(22);
    expect(await cortex(`audit reveal ${nobody} --reason why`)).toMatchObject({ exitCode: 1, stdout: '' });
    expect(recorded()).toMatchObject([{ user: nobody, outcome: 'unknown_user' }]);
  });

  test('without the audit’s key nobody is named: 2', async () => {
    rmSync(join(folder, 'keys', 'audit.key'));
    expect(await cortex(`audit reveal ${ada} --reason why`)).toMatchObject({ exitCode: 2, stdout: '' });
    expect(readdirSync(join(folder, 'keys'))).not.toContain('audit.key');
  });
});
