import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandSpec, RunCommand } from '#cli/command.ts';
import { commandGroups, commands } from '#cli/commands.ts';
import { UserError } from '#cli/errors.ts';
import { requireConfig } from '#cli/require-config.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

function command(name: string, runCommand: RunCommand, more: Partial<CommandSpec> = {}): CommandSpec {
  return {
    name,
    summary: `Does ${name}.`,
    description: `Does ${name}, and nothing else.`,
    args: [],
    options: [],
    examples: [{ line: `cortex ${name}`, meaning: 'that' }],
    load: async () => runCommand,
    ...more,
  };
}

describe('a command line', () => {
  test('hands arguments and options to its command, wherever the global ones stand', async () => {
    const seen: unknown[] = [];
    const spec = command(
      'audit tail',
      async ({ args, options, output }) => {
        seen.push(
          args,
          options.text('since'),
          options.list('tool'),
          options.has('dry-run'),
          options.text('state'),
          output.isJson,
        );
        return 1;
      },
      {
        args: [
          { name: 'first', summary: 'One.', isRequired: true },
          { name: 'second', summary: 'Two.', isRequired: false },
        ],
        options: [
          { name: 'since', value: 'time', summary: 'From then.' },
          { name: 'tool', value: 'name', summary: 'This one.', isRepeatable: true },
          { name: 'dry-run', summary: 'Only says.' },
        ],
      },
    );
    const line = '--json audit tail a --since 1h --tool x --tool y --dry-run --state /s';
    expect(await run(line, { commands: [spec] })).toEqual({ exitCode: 1, stdout: '', stderr: '' });
    expect(seen).toEqual([['a'], '1h', ['x', 'y'], true, '/s', true]);
  });

  test('that names a group alone shows what is in it', async () => {
    const specs = [command('audit tail', async () => 0), command('audit verify', async () => 0)];
    const result = await run('audit', { commands: specs });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Does audit tail.');
    expect(result.stderr).toContain('Does audit verify.');
    expect(result.stdout).toBe('');
  });

  test('of nothing shows the help', async () => {
    const result = await run('');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('Usage: cortex');
  });

  test('with a value that is no choice is refused', async () => {
    const spec = command('list', async () => 0, {
      options: [{ name: 'mode', value: 'mode', summary: 'How.', choices: ['full', 'search'] }],
    });
    const result = await run('list --mode wild', { commands: [spec] });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Allowed choices are full, search.');
    expect(result.stderr).toContain('next: cortex list --help');
  });

  test('without a needed argument is refused', async () => {
    const spec = command('explain', async () => 0, {
      args: [{ name: 'tool', summary: 'Which.', isRequired: true }],
    });
    expect((await run('explain', { commands: [spec] })).exitCode).toBe(2);
  });
});

describe('what went wrong', () => {
  test('by the caller is said with the next step', async () => {
    const spec = command('x', async () => {
      throw new UserError('the gateway does not answer', { exitCode: 3, next: 'cortex serve' });
    });
    const plain = await run('x', { commands: [spec] });
    expect(plain).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: 'cortex: the gateway does not answer\n  next: cortex serve\n',
    });
    const json = await run('x --json', { commands: [spec] });
    expect(json.stderr).toBe('');
    expect(JSON.parse(json.stdout)).toEqual({
      error: { code: 3, message: 'the gateway does not answer', next: 'cortex serve' },
    });
  });

  test('by us has an id and no detail, unless asked for', async () => {
    const spec = command('x', async () => {
      throw new TypeError('boom at /secret/path');
    });
    const quiet = await run('x', { commands: [spec] });
    expect(quiet.exitCode).toBe(70);
    expect(quiet.stderr).toMatch(
      /^cortex: a fault of ours \(id [\w-]{22}\)\n {2}next: run it again with --verbose to see where\n$/,
    );
    for (const loud of [
      await run('x --verbose', { commands: [spec] }),
      await run('x', { commands: [spec], environment: { CORTEX_DEBUG: '1' } }),
    ]) {
      expect(loud.exitCode).toBe(70);
      expect(loud.stderr).toContain('TypeError: boom at /secret/path');
    }
  });

  test('in the configuration is a caller’s mistake that names every problem', async () => {
    const spec = command('x', async (invocation) => {
      await requireConfig(invocation, true);
      return 0;
    });
    const environment = { OAUTH_ISSUER: 'nonsense', CORTEX_DATABASE_URL: 'x' };
    const result = await run('x', { commands: [spec], environment });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('warning: env CORTEX_DATABASE_URL: has no effect');
    expect(result.stderr).toContain(
      'cortex: 1 problem in the environment\n  env OAUTH_ISSUER: auth.issuers.0.url: "nonsense" is not an absolute URL: write https://host/path.\n  next: put them right, then: cortex check\n',
    );
  });

  test('is nothing: the configuration comes back', async () => {
    const spec = command('x', async (invocation) => {
      const { config } = await requireConfig(invocation, true);
      invocation.output.line(config.gateway.url);
      return 0;
    });
    const result = await run('x --quiet', {
      commands: [spec],
      environment: { OAUTH_ISSUER: 'https://a.example' },
    });
    expect(result).toMatchObject({ exitCode: 0, stdout: 'http://127.0.0.1:3213/mcp\n' });
  });
});

describe('colour', () => {
  const spec = command('x', async ({ output }) => {
    output.line(output.paint('red', 'word'));
    output.note('talk');
    return 0;
  });
  const colored = '\x1b[31mword\x1b[0m\n';

  test('is for terminals', async () => {
    expect((await run('x', { commands: [spec], isInteractive: true })).stdout).toBe(colored);
    expect((await run('x', { commands: [spec] })).stdout).toBe('word\n');
  });

  test('is off where it is not wanted', async () => {
    const refusals: readonly Readonly<Record<string, string>>[] = [{ NO_COLOR: '1' }, { TERM: 'dumb' }];
    for (const environment of refusals) {
      expect((await run('x', { commands: [spec], isInteractive: true, environment })).stdout).toBe('word\n');
    }
    expect((await run('x --no-color', { commands: [spec], isInteractive: true })).stdout).toBe('word\n');
    expect(
      (await run('x', { commands: [spec], isInteractive: true, environment: { NO_COLOR: '' } })).stdout,
    ).toBe(colored);
  });

  test('and talk: --quiet silences the talk alone', async () => {
    expect(await run('x', { commands: [spec] })).toMatchObject({ stderr: 'talk\n' });
    expect(await run('x --quiet', { commands: [spec] })).toMatchObject({ stdout: 'word\n', stderr: '' });
  });
});

describe('a config file of somebody else', () => {
  test('cannot drive the terminal of whoever checks it', async () => {
    await using temp = await createTempFolder();
    const title = String.raw`\e]0;owned\a`;
    const sound = 'auth: { issuers: [{ url: https://a.example }] }\n';
    for (const yaml of [
      `"${title}": 1\ngateway: { "${title}": 1, listen: "${title}" }\n`,
      `${sound}plans: { "${title}": [a] }\ngateway: { server_name: "x${title}" }\n`,
    ]) {
      await writeFile(join(temp.path, 'cortex.yaml'), yaml);
      const { stdout, stderr } = await run('check', { cwd: temp.path });
      expect(stdout).toContain('?]0;owned?');
      expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u);
    }
  });
});

describe('the table of commands', () => {
  test('names each once, explains its groups, and every line of it can be loaded', async () => {
    expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
    for (const spec of commands) {
      expect(typeof (await spec.load())).toBe('function');
      expect(spec.summary.endsWith('.')).toBe(true);
      expect(spec.examples.length).toBeGreaterThan(0);
      for (const { line } of spec.examples) expect(line.startsWith(`cortex ${spec.name}`)).toBe(true);
      const [group, word] = spec.name.split(' ');
      if (word !== undefined) expect(commandGroups.has(group ?? '')).toBe(true);
    }
  });
});
