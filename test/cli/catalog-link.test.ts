import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import { openBrowser } from '#cli/open-browser.ts';
import type { JsonObject } from '#kernel/json.ts';
import { ok } from '#kernel/result.ts';
import { type Control, openControl } from '#server/control.ts';
import { catalogOperations } from '#wiring/catalog-operations.ts';
import { writeConfig } from '../support/config-file.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

let folder: TempFolder;
let configFile: string;
let control: Control | undefined;
let status: JsonObject;
beforeEach(async () => {
  folder = await createTempFolder();
  configFile = await writeConfig(folder.path, {
    state_dir: join(folder.path, 'state'),
    gateway: { url: 'http://127.0.0.1:3213/mcp' },
    auth: { issuers: [{ url: 'https://auth.example.com' }], challenge_scopes: ['s'] },
    servers: { board: { url: 'https://board.example/mcp', list: 'shared', scopes: { default: 's' } } },
  });
  status = { server: 'board', state: 'unlinked' };
});
afterEach(async () => {
  await control?.close();
  control = undefined;
  await folder.remove();
});

/** A gateway reduced to its control socket; the account is linked once its page was asked for. */
function serve(): void {
  control = openControl(join(folder.path, 'state', 'control.sock'), {
    'GET /status': { role: 'read', run: async () => ok({ ready: true }) },
    ...catalogOperations({
      catalog: { snapshot: () => emptySnapshot, poll: async () => {} },
      act: async () => true,
      link: {
        async start(server) {
          if (server !== 'board') return undefined;
          status = { server, state: 'linked', account: 'catalog@board.example', linked_at: '2026-11-27' };
          return `http://127.0.0.1:3213/link/${server}?ticket=abc`;
        },
        status: async (server) => (server === 'board' ? status : undefined),
      },
    }),
  });
}
const link = (line: string) =>
  run(`vault link ${line} --catalog --no-browser --config ${configFile}`, { cwd: folder.path });

describe('vault link --catalog', () => {
  test('gives the page, and is done when the account is linked', async () => {
    serve();
    const { exitCode, stdout, stderr } = await link('board');
    expect([exitCode, stdout]).toEqual([0, 'linked board as catalog@board.example\n']);
    expect(stderr).toContain('http://127.0.0.1:3213/link/board?ticket=abc');
  });

  test('says no where the server’s lists are nobody’s, or there is no such server', async () => {
    serve();
    const { exitCode, stderr } = await link('elsewhere');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('no server elsewhere reads its lists with a linked account');
  });

  test('needs the gateway of this machine', async () => {
    const { exitCode, stderr } = await link('board');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('no gateway runs here');
  });
});

describe('a browser', () => {
  test.each(['file:///etc/passwd', '--help', 'javascript:alert(1)', 'x-scheme://y', ''])(
    'is not opened for %s: what a server says becomes no option and no program',
    (url) => {
      expect(openBrowser(url, { DISPLAY: ':0', WAYLAND_DISPLAY: 'wayland-0' })).toBe(false);
    },
  );

  test.skipIf(process.platform !== 'linux')('is none on a machine without a screen', () => {
    expect(openBrowser('https://example.com', {})).toBe(false);
  });
});
