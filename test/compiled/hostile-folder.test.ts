import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cortexCommand, startCortex } from '../support/binary.ts';
import { createTempFolder } from '../support/temp-folder.ts';

async function cortex(
  cwd: string,
  ...args: readonly string[]
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = startCortex({ args, cwd, env: { OAUTH_ISSUER: 'https://auth.example.com' } });
  const exitCode = await child.exited;
  await Bun.sleep(50);
  return { exitCode, output: child.output() };
}

describe('the compiled command', () => {
  test('is what these tests run', () => {
    expect(cortexCommand()).toHaveLength(1);
  });

  test('takes neither settings nor code from a .env or a bunfig.toml of the current folder', async () => {
    await using temp = await createTempFolder();
    const folder = join(temp.path, 'cloned');
    await mkdir(folder);
    await writeFile(
      join(folder, '.env'),
      'CORTEX__GATEWAY__LISTEN=0.0.0.0:1\nOAUTH_ISSUER=https://evil.example\n',
    );
    await writeFile(join(folder, '.env.local'), 'CORTEX__GATEWAY__LISTEN=0.0.0.0:2\n');
    await writeFile(join(folder, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
    await writeFile(join(folder, 'evil.ts'), 'await Bun.write("was-here", "x"); console.log("evil");\n');
    await writeFile(join(folder, 'package.json'), '{"imports": {"#cli/*": "./evil.ts"}}\n');
    await writeFile(join(folder, 'tsconfig.json'), '{"compilerOptions": {"paths": {"*": ["./evil.ts"]}}}\n');

    const { exitCode, output } = await cortex(folder, 'check');
    expect(exitCode).toBe(0);
    expect(output).toMatch(/gateway\.listen +127\.0\.0\.1:3213 +default/);
    expect(output).toContain('https://auth.example.com');
    expect(output).not.toContain('evil');
    expect(await Bun.file(join(folder, 'was-here')).exists()).toBe(false);
  });

  test('says which commit it was built from', async () => {
    await using temp = await createTempFolder();
    const { exitCode, output } = await cortex(temp.path, 'version', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ commit: expect.stringMatching(/^([0-9a-f]{12}|unknown)$/) });
  });

  test('answers --version as `cortex <version>`', async () => {
    await using temp = await createTempFolder();
    expect((await cortex(temp.path, '--version')).output).toMatch(/^cortex \d+\.\d+\.\d+\n$/);
  });

  test('keeps whole what it writes into a pipe, and ends quietly when the reader goes away', async () => {
    await using temp = await createTempFolder();
    const [bin = ''] = cortexCommand();
    const shell = Bun.spawn(
      ['sh', '-c', `"${bin}" check --json | head -c 10; "${bin}" check --json | tail -n 1`],
      {
        cwd: temp.path,
        env: { OAUTH_ISSUER: 'https://auth.example.com', HOME: temp.path, PATH: '/usr/bin:/bin' },
        stderr: 'pipe',
      },
    );
    expect(await new Response(shell.stdout).text()).toBe('{\n  "valid}\n');
    expect(await new Response(shell.stderr).text()).toBe('');
  });
});
