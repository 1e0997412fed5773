import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPreferences, type Preferences } from '#config/preferences.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

let home: TempFolder;
beforeEach(async () => {
  home = await createTempFolder();
});
afterEach(() => home.remove());

const opened = (environment: Readonly<Record<string, string>> = {}): Preferences =>
  openPreferences({ cwd: '/nowhere', environment: { HOME: home.path, ...environment } });
const file = () => join(home.path, '.config', 'cortex', 'preferences.json');

test('what was chosen is there again, in a file that nobody else reads', () => {
  opened().set('theme', 'light');
  expect(opened().get('theme')).toBe('light');
  expect(opened().get('catalog.tab')).toBeUndefined();
  expect(statSync(file()).mode & 0o777).toBe(0o600);
});

test('XDG_CONFIG_HOME says where', () => {
  const elsewhere = join(home.path, 'elsewhere');
  opened({ XDG_CONFIG_HOME: elsewhere }).set('audit.span', '1h');
  expect(readFileSync(join(elsewhere, 'cortex', 'preferences.json'), 'utf8')).toContain('1h');
});

test('nothing but a short word is kept: no token, no header, no URL', () => {
  const preferences = opened();
  preferences.set('catalog.tab', 'pro');
  for (const secret of [
    `eyJhbGciOiJSUzI1NiJ9.${'x'.repeat(80)}`,
    'Bearer abc',
    'https://ada:pass@example.com/',
    '',
  ])
    preferences.set('catalog.tab', secret);
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ 'catalog.tab': 'pro' });
});

test('a file that is none of ours is begun anew, and an odd value is not taken', () => {
  mkdirSync(join(home.path, '.config', 'cortex'), { recursive: true });
  writeFileSync(file(), '{ not JSON');
  expect(opened().get('theme')).toBeUndefined();
  writeFileSync(file(), JSON.stringify({ theme: '\u001b[2J', 'audit.span': 7, 'catalog.tab': ['pro'] }));
  const preferences = opened();
  for (const name of ['theme', 'audit.span', 'catalog.tab'] as const)
    expect(preferences.get(name)).toBeUndefined();
});

test('a home that cannot be written is no reason to fail', () => {
  writeFileSync(join(home.path, '.config'), 'a file where a folder should be');
  const preferences = opened();
  preferences.set('theme', 'dark');
  expect(preferences.get('theme')).toBeUndefined();
});
