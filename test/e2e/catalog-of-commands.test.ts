import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startCortex } from '../support/binary.ts';
import { writeConfig } from '../support/config-file.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { commandServer } from './support/command-server.ts';

describe('cortex catalog', () => {
  test('runs the commands of a file that is named, lists what they offer, and leaves none behind', async () => {
    await using folder = await createTempFolder();
    await writeConfig(folder.path, {
      gateway: { url: 'http://127.0.0.1:3213/mcp' },
      auth: { issuers: [{ url: 'http://127.0.0.1:3220' }], challenge_scopes: ['mcp:test'] },
      servers: { files: commandServer('modern') },
      keys: { dir: join(folder.path, 'keys') },
    });
    const outputOf = async (...args: readonly string[]) => {
      await using cortex = startCortex({ args: ['catalog', ...args], cwd: folder.path });
      return { code: await cortex.exited, output: cortex.output() };
    };
    const named = await outputOf('--config', 'cortex.yaml');
    expect(named).toMatchObject({ code: 0, output: expect.stringContaining('files_') });

    const found = await outputOf();
    expect(found).toMatchObject({ code: 0, output: expect.stringContaining('files was not asked') });
    expect(found.output).not.toContain('files_');
  });
});
