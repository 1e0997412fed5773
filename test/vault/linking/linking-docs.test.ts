import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linkMessages } from '#vault/linking/link-failure.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/linking.md'), 'utf8');

describe('docs/linking.md', () => {
  test('has a row for every reason, with the very words that people read, and advice', () => {
    const section = page.split('## When it fails')[1] ?? '';
    const rows = [...section.matchAll(/^\| `(\w+)` \| (.+?) \| (.+\.) \|$/gm)];
    expect(rows.map(([, reason, message]) => [reason, message])).toEqual(Object.entries(linkMessages));
  });
});
