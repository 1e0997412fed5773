import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { templateNames } from '#cli/templates.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

describe('cortex backend init', () => {
  test.each(templateNames)(
    '%s: writes a backend named after the folder, and says how to go on',
    async (name) => {
      await using folder = await createTempFolder();
      const made = await run(`backend init crm --template ${name}`, { cwd: folder.path });
      expect(made.exitCode).toBe(0);
      const lines = made.stdout.trimEnd().split('\n');
      expect(lines.slice(0, 3)).toEqual([
        '  crm:',
        '    url: http://127.0.0.1:4820',
        '    technical_token: "$' + '{CORTEX_TECHNICAL_TOKEN}"',
      ]);
      expect(lines.at(-1)).toMatch(new RegExp(`^start: cd ${folder.path}/crm && `));
      const files = await readdir(join(folder.path, 'crm'));
      expect(files).toEqual(expect.arrayContaining(['README.md', 'Dockerfile']));
      const texts = await Promise.all(files.map((file) => readFile(join(folder.path, 'crm', file), 'utf8')));
      expect(texts.join('\n')).toContain('mcp:crm:read');
      expect(texts.join('\n')).not.toContain('mcp:tasks:');
    },
  );

  test('leaves a folder that is not empty as it was', async () => {
    await using folder = await createTempFolder();
    await writeFile(join(folder.path, 'mine.txt'), 'mine');
    const refused = await run('backend init .', { cwd: folder.path });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is not empty') });
    expect(await readdir(folder.path)).toEqual(['mine.txt']);
    const file = await run('backend init mine.txt', { cwd: folder.path });
    expect(file).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ENOTDIR') });
  });

  test('makes an id of a folder’s name, and asks for one where it cannot', async () => {
    await using folder = await createTempFolder();
    const named = await run('backend init My_App.v2 --json', { cwd: folder.path });
    expect(JSON.parse(named.stdout)).toMatchObject({ id: 'my-app-v2', template: 'bun' });
    const refused = await run('backend init 東京', { cwd: folder.path });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--id') });
    const given = await run('backend init 東京 --id tokyo --json', { cwd: folder.path });
    expect(JSON.parse(given.stdout)).toMatchObject({ id: 'tokyo' });
    const unknown = await run('backend init x --template cobol', { cwd: folder.path });
    expect(unknown.exitCode).toBe(2);
  });
});
