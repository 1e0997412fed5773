import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { facts, openTestAudit, principal, ringOf, signer, tempDir } from '../audit/support/audit-kit.ts';
import { run } from './run.ts';

let folder = '';
let dir = '';
beforeEach(async () => {
  folder = tempDir();
  dir = join(folder, 'audit');
  mkdirSync(join(folder, 'keys'), { mode: 0o700 });
  writeFileSync(
    join(folder, 'keys', 'checkpoint.key'),
    ringOf(1).newest.secret.export().toString('base64url'),
    { mode: 0o600 },
  );
  writeFileSync(
    join(folder, 'cortex.yaml'),
    `version: 1
state_dir: ${join(folder, 'state')}
gateway: { url: http://127.0.0.1:3213/mcp }
auth: { issuers: [{ url: "http://127.0.0.1:3220" }] }
plans: { free: [notes:read] }
backends: { notes: { url: "http://127.0.0.1:4820" } }
audit: { dir: ${dir} }
`,
  );
  const audit = await openTestAudit(dir);
  for (let index = 0; index < 20; index++) await audit.record(facts({ tool: `t${index}` }));
  await audit.record(
    facts({
      tool: 'pay',
      backend: 'billing',
      outcome: 'refused',
      code: 'scope_missing',
      principal: principal('u2'),
    }),
  );
  await audit.record(facts({ tool: 'x\u001b[2J\ny', agent: undefined }));
  await audit.close();
  return () => rmSync(folder, { recursive: true, force: true });
});

const cortex = (line: string) =>
  run(`${line} --config ${join(folder, 'cortex.yaml')}`, { commands, cwd: folder });
function file(): string {
  return join(dir, readdirSync(dir).find((name) => name.endsWith('.jsonl')) ?? '');
}

describe('cortex audit verify', () => {
  test('intact: 0, and says with which key', async () => {
    const { exitCode, stdout, stderr } = await cortex('audit verify');
    expect({ exitCode, stderr: stderr.includes(signer.publicKeys[0] ?? '?') }).toEqual({
      exitCode: 0,
      stderr: true,
    });
    expect(stdout).toMatch(
      /^chain [0-9a-f]{12}: 24 records in 1 file from .* signed up to .* intact\nintact\n$/,
    );
  });

  test('broken: 1, with file and line', async () => {
    writeFileSync(file(), readFileSync(file(), 'utf8').replace('"tool":"t4"', '"tool":"t5"'));
    const { exitCode, stdout } = await cortex('audit verify');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/audit-[0-9a-f]{12}-000001\.jsonl:6: edited: .*\nbroken\n/);
  });

  test('records that nothing signed: 4', async () => {
    const lines = readFileSync(file(), 'utf8').split('\n').slice(0, -2);
    writeFileSync(file(), `${lines.join('\n')}\n{"half`);
    const { exitCode, stdout } = await cortex('audit verify');
    expect(exitCode).toBe(4);
    expect(stdout).toContain('nothing is signed, 23 records and 6 bytes of half a line after that not');
  });

  test('no records: 4', async () => {
    rmSync(file());
    expect(await cortex('audit verify')).toMatchObject({ exitCode: 4, stdout: 'no records\n' });
  });

  test('an auditor needs the folder and the public key, and no configuration', async () => {
    const line = `audit verify --dir ${dir} --public-key ${signer.publicKeys[0]} --json`;
    const { exitCode, stdout } = await run(line, { commands, cwd: '/' });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'intact',
      dir,
      public_keys: signer.publicKeys,
      records: 24,
      chains: [
        { files: 1, records: 24, first_seq: 1, unanchored: 0, torn_bytes: 0, shortened: false, broken: null },
      ],
    });
  });

  test.each([
    [
      'a folder that is not there',
      () => 'audit verify --dir /nowhere-at-all',
      /there is no audit in \/nowhere-at-all/,
    ],
    ['a key that is none', () => 'audit verify --public-key abc', /--public-key takes 43 characters/],
  ])('%s: 2', async (_name, line, message) => {
    const { exitCode, stderr } = await cortex(line());
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('next: ');
  });

  test('a key file that others can read: 2, with what to type', async () => {
    rmSync(join(folder, 'keys', 'checkpoint.key'));
    writeFileSync(join(folder, 'keys', 'checkpoint.key'), 'x', { mode: 0o644 });
    const { exitCode, stderr } = await cortex('audit verify');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('chmod 600');
  });

  test('looking at an audit makes no key', async () => {
    rmSync(join(folder, 'keys'), { recursive: true });
    expect((await cortex('audit verify')).exitCode).toBe(2);
    expect(readdirSync(folder)).not.toContain('keys');
  });
});

describe('cortex audit tail', () => {
  test('shows the last 10 records, without the checkpoints', async () => {
    const { exitCode, stdout } = await cortex('audit tail');
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toMatch(
      /^\S+Z ok +tools\/call t12 on notes \(propagate\) for [\w-]{22} via claude-code\/2 1\.23 ms$/,
    );
    expect(lines[8]).toContain('refused tools/call pay on billing');
    expect(lines[8]).toMatch(/ ms scope_missing$/);
  });

  test('a record cannot drive the terminal', async () => {
    const { stdout } = await cortex('audit tail -n 1');
    expect(stdout).toContain('x?[2J?y');
  });

  test('picks by outcome, tool, backend and user, and by number', async () => {
    expect((await cortex('audit tail --outcome refused')).stdout).toMatch(/^\S+ refused .*\n$/);
    expect((await cortex('audit tail --tool t3')).stdout).toMatch(/^\S+ ok +tools\/call t3 .*\n$/);
    expect((await cortex('audit tail --backend billing -n 5')).stdout.split('\n')).toHaveLength(2);
    const user = /for ([\w-]{22})/.exec((await cortex('audit tail --tool pay')).stdout)?.[1];
    expect((await cortex(`audit tail --user ${user}`)).stdout.split('\n')).toHaveLength(2);
    expect((await cortex('audit tail -n 3')).stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  test('--json gives the records as they are, one a line', async () => {
    const { stdout } = await cortex('audit tail -n 2 --json');
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map((record) => record.tool)).toEqual(['pay', 'x\u001b[2J\ny']);
  });

  test('--since takes how long ago, or a moment', async () => {
    expect((await cortex('audit tail --since 1h')).stdout.trimEnd().split('\n')).toHaveLength(23);
    expect((await cortex('audit tail --since 2100-01-01')).stdout).toBe('');
    expect(
      (await cortex('audit tail --since 2020-01-01T00:00Z -n 2')).stdout.trimEnd().split('\n'),
    ).toHaveLength(2);
  });

  test.each(['--since yesterday', '--since 2026-99-99', '-n many'])('%s is refused', async (option) => {
    expect(await cortex(`audit tail ${option}`)).toMatchObject({ exitCode: 2 });
  });

  test('a chain that does not hold is said, and ends with 1', async () => {
    writeFileSync(file(), readFileSync(file(), 'utf8').replace('"tool":"t15"', '"tool":"t14"'));
    const plain = await cortex('audit tail');
    expect(plain.exitCode).toBe(1);
    expect(plain.stderr).toMatch(/broken: audit-\S+:17: edited/);
    expect(plain.stdout.trimEnd().split('\n')).toHaveLength(10);
    expect((await cortex('audit tail --json')).stdout).toContain('{"kind":"break"');
  });

  test('-f follows until it is stopped, across a change of file', async () => {
    const bin = join(import.meta.dirname, '../../bin/cortex.ts');
    const follower = Bun.spawn(
      ['bun', bin, 'audit', 'tail', '-f', '-n', '1', '--config', join(folder, 'cortex.yaml')],
      {
        stdout: 'pipe',
        stderr: 'inherit',
      },
    );
    const reader = follower.stdout.getReader();
    let text = new TextDecoder().decode((await reader.read()).value);
    const audit = await openTestAudit(dir, { rotateBytes: 1_500 });
    for (let index = 0; index < 6; index++) await audit.record(facts({ tool: `later${index}` }));
    await audit.close();
    while (!text.includes('later5')) {
      const part = await reader.read();
      if (part.done) break;
      text += new TextDecoder().decode(part.value);
    }
    follower.kill('SIGINT');
    expect(await follower.exited).toBe(0);
    expect(readdirSync(dir).filter((name) => name.endsWith('.jsonl')).length).toBeGreaterThan(1);
    expect([...text.matchAll(/later\d/g)].map(([tool]) => tool)).toEqual(
      [0, 1, 2, 3, 4, 5].map((index) => `later${index}`),
    );
  });
});

test('an end that somebody is writing does not disturb the tail', async () => {
  appendFileSync(file(), '{"v":1,"kind":"ca');
  expect(await cortex('audit tail -n 1')).toMatchObject({ exitCode: 0 });
});
