import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { presets } from '#auth/presets/table.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'issuers', 'README.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([a-z0-9]+)` \|(.*)\|$/gm)].map(([, name = '', cells = '']) => ({
  name,
  claims: cells.split('|').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, claim = '']) => claim)),
}));

test('the table of presets in the documents says where each one looks', () => {
  const documented = rows.map(({ name, claims: [subject, scopes, client, role, session, tokenId] }) => [
    name,
    { subject, scopes, client, role, session, tokenId },
  ]);
  const known = Object.entries(presets).map(([name, { paths }]) => [
    name,
    {
      subject: paths.subject.flatMap((path) => path.split('+')),
      scopes: [...paths.scopes, ...paths.permissions],
      client: [...paths.client],
      role: [...paths.role],
      session: [...paths.session],
      tokenId: [...paths.tokenId],
    },
  ]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(known));
});
