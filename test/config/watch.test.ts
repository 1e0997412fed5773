import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { showIssue } from '#config/issue.ts';
import { loadConfig } from '#config/load-config.ts';
import { type ConfigWatch, watchConfig } from '#config/watch-config.ts';
import { fingerprint } from '#config/watch-files.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { soundYaml } from './load.ts';

let temp: TempFolder;
let watch: ConfigWatch | undefined;
let outcomes: string[];
let loads: number;

beforeEach(async () => {
  temp = await createTempFolder();
  outcomes = [];
  loads = 0;
});
afterEach(async () => {
  watch?.close();
  watch = undefined;
  await temp.remove();
});

async function start(file: string, since?: string): Promise<ConfigWatch> {
  watch = await watchConfig([file], {
    load: () => {
      loads += 1;
      return loadConfig({
        cwd: temp.path,
        environment: { HOME: temp.path },
        file,
        flags: {},
        mayExpandSecrets: false,
      });
    },
    onLoaded: ({ config }) => {
      const token = [...config.backends.values()][0]?.technicalToken?.reveal();
      outcomes.push(token ?? String(config.limits.callsPerMinute));
    },
    onRefused: ({ issues }) => {
      outcomes.push(
        issues
          .filter((issue) => issue.severity === 'error')
          .map((issue) => showIssue(issue, temp.path))
          .join(),
      );
    },
    quietMs: 20,
    ...(since !== undefined && { since }),
  });
  return watch;
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`nothing came of it: ${JSON.stringify(outcomes)}`);
    await Bun.sleep(5);
  }
}

const yaml = (calls: string) => `${soundYaml}limits: { calls_per_minute: ${calls} }\n`;

test('a change between the first load and the beginning of the watch is not missed', async () => {
  const file = join(temp.path, 'cortex.yaml');
  await writeFile(file, yaml('1'));
  const since = await fingerprint([file]);
  await writeFile(file, yaml('22'));
  await start(file, since);
  await until(() => outcomes.includes('22'));
  expect(loads).toBe(1);
});

test('no change in that time is none', async () => {
  const file = join(temp.path, 'cortex.yaml');
  await writeFile(file, yaml('1'));
  await start(file, await fingerprint([file]));
  await Bun.sleep(200);
  expect(loads).toBe(0);
});

describe('a watched config', () => {
  test('is loaded anew when its file was written, and when it was replaced by another', async () => {
    const file = join(temp.path, 'cortex.yaml');
    await writeFile(file, yaml('1'));
    await start(file);
    await writeFile(file, yaml('2'));
    await until(() => outcomes.includes('2'));
    await writeFile(`${file}.new`, yaml('3'));
    await rename(`${file}.new`, file);
    await until(() => outcomes.includes('3'));
    await writeFile(file, yaml('4'));
    await until(() => outcomes.at(-1) === '4');
  });

  test('that has problems is refused with them, and loaded once they are gone', async () => {
    const file = join(temp.path, 'cortex.yaml');
    await writeFile(file, yaml('1'));
    await start(file);
    await writeFile(file, yaml('many'));
    await until(() => outcomes.length === 1);
    expect(outcomes[0]).toBe(
      'cortex.yaml:4: limits.calls_per_minute: "many" must be a whole number from 0 to 1000000.',
    );
    await writeFile(file, yaml('5'));
    await until(() => outcomes.at(-1) === '5');
  });

  test('is loaded anew when the file of a secret changed', async () => {
    const file = join(temp.path, 'cortex.yaml');
    await mkdir(join(temp.path, 'secrets'));
    const secret = join(temp.path, 'secrets', 'token');
    await writeFile(secret, 'one');
    await writeFile(
      file,
      `${soundYaml}backends: { n: { url: https://n.example, technical_token: file:secrets/token } }\n`,
    );
    const { reload } = await start(file);
    await reload();
    expect(outcomes).toEqual(['one']);
    await writeFile(secret, 'two');
    await until(() => outcomes.at(-1) === 'two');
  });

  test('is loaded anew when the link on the way to it turns, as mounted volumes do', async () => {
    await mkdir(join(temp.path, 'v1'));
    await mkdir(join(temp.path, 'v2'));
    await writeFile(join(temp.path, 'v1', 'cortex.yaml'), yaml('1'));
    await writeFile(join(temp.path, 'v2', 'cortex.yaml'), yaml('22'));
    await symlink('v1', join(temp.path, 'data'));
    await symlink('data/cortex.yaml', join(temp.path, 'cortex.yaml'));
    await start(join(temp.path, 'cortex.yaml'));
    await symlink('v2', join(temp.path, 'data.new'));
    await rename(join(temp.path, 'data.new'), join(temp.path, 'data'));
    await until(() => outcomes.at(-1) === '22');
  });

  test('is left alone by other files of the folder', async () => {
    const file = join(temp.path, 'cortex.yaml');
    await writeFile(file, yaml('1'));
    await start(file);
    await writeFile(join(temp.path, 'other.txt'), 'x');
    await Bun.sleep(150);
    expect(loads).toBe(0);
    await writeFile(file, yaml('2'));
    await until(() => outcomes.at(-1) === '2');
  });

  test('is loaded when told to, changed or not, and no more once closed', async () => {
    const file = join(temp.path, 'cortex.yaml');
    await writeFile(file, yaml('1'));
    const { reload, close } = await start(file);
    await Promise.all([reload(), reload()]);
    expect(outcomes).toEqual(['1', '1']);
    close();
    await reload();
    await writeFile(file, yaml('2'));
    await Bun.sleep(150);
    expect(outcomes).toEqual(['1', '1']);
  });

  test('may lie in a folder that is not there', async () => {
    const { reload } = await start(join(temp.path, 'nowhere', 'cortex.yaml'));
    await reload();
    expect(outcomes[0]).toContain('cannot be read (ENOENT)');
  });
});
