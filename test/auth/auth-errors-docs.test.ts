import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createChallenge } from '#auth/challenge.ts';
import { authRefusalReasons, refusal } from '#auth/refusal.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/auth-errors.md'), 'utf8');

/** The cells of the rows below a heading, the table's own head left out. */
function rows(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));
}

const documented = rows('The reasons').map(([reason = '', answer = '', happened = '', advice = '']) => ({
  reason: reason.replaceAll('`', ''),
  answer,
  happened,
  advice,
}));

const challenge = createChallenge(
  {
    canonicalUrl: 'https://mcp.example.com/mcp',
    baselineScopes: ['base'],
    challengeScopes: 'plans',
    plans: new Map(),
  },
  { policy: 'allow', nonce: () => 'nonce' },
);

describe('docs/auth-errors.md', () => {
  test('has a row for every reason in the code, in the order of the gates, and no other', () => {
    expect(documented.map(({ reason }) => reason)).toEqual([...authRefusalReasons]);
  });

  test.each(authRefusalReasons)('tells the answer that %s really gets, and what to do', async (reason) => {
    const row = documented.find((one) => one.reason === reason);
    expect(row?.happened).toMatch(/\.$/);
    expect(row?.advice).toMatch(/\.$/);
    const scheme = /^proof_(?!key_)/.test(reason) ? 'DPoP' : undefined;
    const response = challenge.answer({ ...refusal(reason), ...(scheme && { scheme }) }, { search: '' });
    const body = await response.json();
    expect(row?.answer).toBe(body.error);

    const wire = rows('The answers').find(([answer]) => answer === body.error);
    expect(wire?.[1]).toBe(String(response.status));
    expect(wire?.[3]).toBe(`\`${body.error}\``);
    const documentedHeader = wire?.[2]?.match(/^`((?:Bearer|DPoP) [^`]*)`(?:; `DPoP-Nonce`)?$/)?.[1];
    const header = response.headers.get('www-authenticate');
    expect(header?.replace(/="(?!invalid_|use_|insufficient_scope)[^"]*"/g, '="..."')).toBe(documentedHeader);
  });
});
