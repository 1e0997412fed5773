import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventRules } from '#auth/feeds/event-types.ts';
import { deliveryError, feedRefusal, feedRefusalReasons, isPassing } from '#auth/feeds/refusal.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const page = readFileSync(join(root, 'docs', 'revocation-feeds.md'), 'utf8');

/** The cells of the rows below a heading, the table's own head left out. */
function rows(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));
}

describe('docs/revocation-feeds.md', () => {
  test('has a row for every reason in the code, with the answer that it gets, and no other', () => {
    const documented = rows('Why an event is refused').map(([reason, answer]) => [reason, answer]);
    const statuses: Readonly<Record<string, number>> = { unauthenticated: 401, too_large: 413 };
    expect(documented).toEqual(
      feedRefusalReasons.map((reason) => {
        const refusal = feedRefusal(reason);
        const answer = isPassing(refusal)
          ? '503'
          : `${statuses[reason] ?? 400} \`${deliveryError(refusal).err}\``;
        return [`\`${reason}\``, answer];
      }),
    );
  });

  test('names every event that revokes, and no other', () => {
    const documented = rows('What is understood').map(([event = '']) => event.replaceAll('`', ''));
    const prefix = 'https://schemas.openid.net/secevent/';
    expect(documented.map((event) => prefix + event)).toEqual([...eventRules.keys()]);
  });

  test('names every log event of the feeds', () => {
    const source = ['event-receiver', 'feeds', 'logout-receiver', 'poll-feed', 'stream-feed', 'ask-for-life']
      .map((name) => readFileSync(join(root, 'src', 'auth', 'feeds', `${name}.ts`), 'utf8'))
      .join('\n');
    const events = [...source.matchAll(/log\.\w+\('([a-z_.]+)'/g)].map(([, name]) => name);
    expect(events.length).toBeGreaterThan(7);
    expect(events.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
