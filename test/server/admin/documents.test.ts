import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGateway } from '../../support/running-gateway.ts';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/admin.md'), 'utf8');

test('docs/admin.md has every operation with its role, and no other', async () => {
  await using running = await runGateway();
  const documented = [...page.matchAll(/^\| `((?:GET|POST) [^`]+)` \| (\w+) \|/gm)].map(
    ([, name = '', role = '']) => `${name}: ${role}`,
  );
  const served = Object.entries(running.gateway.operations).map(([name, { role }]) => `${name}: ${role}`);
  // Nobody reads the configuration anew in a test.
  expect(documented.toSorted()).toEqual([...served, 'POST /reload: operate'].toSorted());
});

test('docs/admin.md has every reason of the listener with its status, and no other', async () => {
  const documented = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)].map(([, reason = '']) => reason);
  const source = ['admin/admin-refusal.ts', 'answer-operation.ts']
    .map((file) => readFileSync(join(root, 'src/server', file), 'utf8'))
    .join('\n');
  const known = [...source.matchAll(/^ {2}\| '(\w+)'|reason: '(\w+)'/gm)].map(
    ([, one, other]) => one ?? other,
  );
  expect(documented.toSorted()).toEqual([...new Set(known)].toSorted());
});
