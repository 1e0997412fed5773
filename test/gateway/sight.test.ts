import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { type Control, openControl } from '#server/control.ts';
import { run } from '../cli/run.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

let running: RunningGateway;
let control: Control | undefined;
beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [
          { name: 'list', scope: 'notes:read', description: 'Lists notes.' },
          { name: 'write', scope: 'notes:write', description: 'Writes a note.' },
        ],
      },
    },
    config: {
      auth: { scope_implies: { admin: ['notes:write'] } },
      plans: { free: ['notes:read'], pro: ['notes:read', 'notes:write'] },
      servers: { mine: { url: 'http://127.0.0.1:9/mcp', scopes: { default: 'notes:read' } } },
    },
  });
  await running.gateway.settled();
});
afterAll(async () => {
  await control?.close();
  await running.close();
});

const socket = () => join(running.folder.path, 'state', 'control.sock');
const catalog = (line: string, stdin?: readonly string[]) =>
  run(`catalog ${line} --config ${join(running.folder.path, 'cortex.yaml')}`, {
    commands,
    cwd: running.folder.path,
    ...(stdin && { stdin }),
  });
const token = (scope: string, more = {}) => running.issuer.mint({ scope, sub: 'ada', ...more });
const names = (stdout: string) =>
  JSON.parse(stdout).tools.map((tool: { publicName: string }) => tool.publicName);

describe.each(['where no gateway runs', 'where a gateway runs'] as const)(
  'cortex catalog --token, %s',
  (where) => {
    beforeAll(() => {
      if (where === 'where a gateway runs') control = openControl(socket(), running.gateway.operations);
    });

    test('shows what its holder sees', async () => {
      expect(existsSync(socket())).toBe(where === 'where a gateway runs');
      const seen = await catalog(`--json --token ${await token('notes:read')}`);
      expect(seen).toMatchObject({ exitCode: 0 });
      expect(names(seen.stdout)).toContain('notes_list');
      expect(names(seen.stdout)).not.toContain('notes_write');
      expect(names((await catalog(`--json --token ${await token('admin')}`)).stdout)).toContain(
        'notes_write',
      );
    });

    test('reads the token from stdin, so that nobody else on the machine sees it', async () => {
      const seen = await catalog('--json --token -', [await token('notes:read')]);
      expect(names(seen.stdout)).toContain('notes_list');
      expect(await catalog('--token -', [])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining('next:'),
      });
    });

    test('names the token as the first gate before a tool', async () => {
      const good = await catalog(`--why notes_list --token ${await token('notes:read')}`);
      expect(good.stdout).toMatch(/^token +pass +ada, (?:no plan|plan free), \d+ more minutes/);
      expect(good.exitCode).toBe(0);
      const scopes = await catalog(`--why notes_write --token ${await token('notes:read')}`);
      expect(scopes).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('have the issuer grant notes:write; the plan pro has it all'),
      });
    });

    test('says why a token is refused, and what to do', async () => {
      const foreign = await token('notes:read', { aud: 'https://elsewhere.example' });
      const why = await catalog(`--why notes_list --token ${foreign}`);
      expect(why.exitCode).toBe(1);
      expect(why.stdout).toMatch(/^token +HIDDEN +refused: audience_refused/);
      expect(why.stderr).toContain('fix: ');
      expect(await catalog(`--token ${foreign}`)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: expect.stringContaining('the token is refused: audience_refused'),
      });
      expect((await catalog('--token nonsense')).stderr).toContain('token_malformed');
    });

    test('does not mix with scopes and plans', async () => {
      expect(await catalog('--token x --scope pro')).toMatchObject({ exitCode: 2 });
    });
  },
);

describe('looking through somebody’s eyes at the running gateway', () => {
  test('knows that no account is linked, and how one is', async () => {
    const why = await catalog(`--why mine_find --token ${await token('notes:read')}`);
    expect(why).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('call mine_link') });
    const seen = await catalog(`--json --token ${await token('notes:read')}`);
    expect(names(seen.stdout)).toContain('mine_link');
    expect((await catalog('--why mine_find --plan free')).stderr).toContain('--token -');
  });

  test('is no way around a revocation', async () => {
    const revoked = await token('notes:read', { sub: 'eve' });
    await running.operate('POST /revocations', {
      kind: 'subject',
      value: 'eve',
      before: Date.now() / 1_000 + 60,
    });
    expect((await catalog(`--why notes_list --token ${revoked}`)).stdout).toContain('refused: revoked');
  });

  test('is recorded, without the token, and is for those who may see people', async () => {
    const secret = await token('notes:read');
    await catalog(`--json --token ${secret}`);
    expect(running.acts().at(-1)).toMatchObject({ action: 'catalog.sight', actor: 'local' });
    const signature = secret.split('.')[2] ?? '?';
    expect(JSON.stringify([running.acts(), running.logged])).not.toContain(signature);
    expect(running.gateway.operations['POST /sight']?.role).toBe('reveal');
    const database = readFileSync(join(running.folder.path, 'state', 'cortex.db')).toString('latin1');
    expect(database).not.toContain(signature);
  });

  test('needs a token', async () => {
    expect(await running.operate('POST /sight', {})).toMatchObject({
      ok: false,
      error: { reason: 'no_token' },
    });
  });
});
