import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ok } from '#kernel/result.ts';
import { openControl } from '#server/control.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const ask = (unix: string, path: string, method = 'GET') => fetch(`http://control${path}`, { unix, method });

describe('the control socket', () => {
  test('answers what it has a handler for, by method and path, and nothing else', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'state', 'control.sock');
    const control = openControl(path, {
      'GET /status': { role: 'read', run: async () => ok({ ready: true }) },
    });
    expect(await (await ask(path, '/status')).json()).toEqual({ ready: true });
    expect((await ask(path, '/status', 'POST')).status).toBe(404);
    expect((await ask(path, '/other')).status).toBe(404);
    await control.close();
  });

  test('can be opened by its owner alone, and leaves nothing behind', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'control.sock');
    const control = openControl(path, {});
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(['control.sock']);
    await control.close();
    expect(existsSync(path)).toBe(false);
  });

  test('takes the place of a socket that a killed gateway left', async () => {
    await using folder = await createTempFolder();
    const path = join(folder.path, 'control.sock');
    writeFileSync(path, '');
    const control = openControl(path, {
      'GET /status': { role: 'read', run: async () => ok({ ready: true }) },
    });
    expect((await ask(path, '/status')).status).toBe(200);
    await control.close();
  });
});
