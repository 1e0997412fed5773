import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditBreakReason } from '#audit/audit-break.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/audit.md'), 'utf8');

test('the page explains every reason that verifying can give, and no other', () => {
  const reasons: Record<AuditBreakReason, true> = {
    not_a_record: true,
    other_chain: true,
    edited: true,
    missing: true,
    repeated: true,
    unknown_key: true,
    bad_signature: true,
    checkpoint_overdue: true,
    history_missing: true,
    file_missing: true,
    end_missing: true,
    chain_missing: true,
    anchor_differs: true,
  };
  const section = /## What verifying shows(.*?)\n## /s.exec(page)?.[1] ?? '';
  const explained = [...section.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(explained.sort()).toEqual(Object.keys(reasons).sort());
});
