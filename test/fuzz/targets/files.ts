import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseAuditLine } from '#audit/line.ts';
import { readAudit } from '#audit/reader.ts';
import { verifyAudit } from '#audit/verify.ts';
import { allOptions } from '#config/options.ts';
import { facts, openTestAudit, signer, tempDir } from '../../audit/support/audit-kit.ts';
import { attempt } from '../../config/load.ts';
import { type Target, textOf } from './target.ts';
import { anyText } from './wire.ts';
import { plainYaml } from './yaml.ts';

const value = fc.oneof(
  fc.constantFrom(
    'yes',
    '1',
    '-1',
    '1e9',
    '[]',
    '{}',
    '""',
    'https://x.example',
    '127.0.0.1:1',
    '&a',
    '*a',
    '!!binary x',
    '$' + '{SECRET}',
    'file:secret',
    '10s',
    'null',
  ),
  anyText.map((text) => JSON.stringify(text)),
);
const setting = fc
  .tuple(fc.constantFrom(...allOptions.map(({ path }) => path)), value)
  .map(([path, given]) => {
    const names = path
      .replaceAll('<n>', 'a')
      .replaceAll(/<[a-z_]+>/g, 'one')
      .split('.');
    return names
      .reduceRight(
        (inner, name) => `{ ${/^[a-z0-9_]+$/.test(name) ? name : JSON.stringify(name)}: ${inner} }`,
        given,
      )
      .slice(2, -2);
  });

const secret = 'zqxzqx-a-secret-of-the-environment';
const config: Target = {
  name: 'config',
  promise: 'is loaded, or refused with a message for each problem; no secret is in any of them',
  runs: 150,
  inputs: fc
    .array(fc.oneof(setting, setting, anyText), { minLength: 1, maxLength: 4 })
    .map((all) => `version: 1\n${all.join('\n')}\n`),
  async holds(input) {
    const yaml = textOf(input);
    const outcome = await attempt({
      yaml,
      environment: { SECRET: secret },
      files: { secret },
      mayExpandSecrets: true,
    });
    const errors = outcome.issues.filter((issue) => issue.startsWith('error '));
    expect(errors.length > 0).toBe(outcome.config === undefined);
    for (const issue of outcome.issues) {
      expect(issue.length).toBeGreaterThan(10);
      expect(issue.length).toBeLessThan(2_000);
      expect(issue).not.toContain(secret);
    }
    const shown = JSON.stringify(outcome.report.effective);
    expect(shown).not.toContain(secret);
  },
};

const line: Target = {
  name: 'audit-line',
  promise: 'is a record with its fields, or none',
  runs: 3_000,
  inputs: fc
    .dictionary(
      fc.constantFrom('v', 'kind', 'chain', 'seq', 'time', 'prev', '__proto__'),
      fc.oneof(fc.jsonValue(), fc.constantFrom<fc.JsonValue>(1, 'call', '2026-01-01T00:00:00.000Z')),
      { maxKeys: 7 },
    )
    .map((fields) => JSON.stringify(fields)),
  holds(input) {
    const record = parseAuditLine(input);
    if (!record.ok) return;
    expect(Number.isSafeInteger(record.value.seq)).toBe(true);
    expect(typeof record.value.chain).toBe('string');
  },
};

/** Three records and their signed end, as a gateway leaves them; made once. */
async function soundLog(): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  const dir = tempDir();
  const audit = await openTestAudit(dir);
  for (let index = 0; index < 3; index++) await audit.record(facts({ latencyMs: index }));
  await audit.close();
  const name = readdirSync(dir).find((one) => one.endsWith('.jsonl')) ?? '';
  const bytes = readFileSync(join(dir, name));
  rmSync(dir, { recursive: true, force: true });
  return { name, bytes };
}
let sound: ReturnType<typeof soundLog> | undefined;

const audit: Target = {
  name: 'audit-log',
  promise:
    'holds only as it was written: whatever was put in, cut out or changed is found, and reading goes on after it',
  runs: 200,
  inputs: fc.record({ at: fc.nat(2_000), cut: fc.nat(40), put: anyText }).map((edit) => JSON.stringify(edit)),
  async holds(input) {
    sound ??= soundLog();
    const { name, bytes } = await sound;
    const { at = 0, cut = 0, put = '' } = editOf(textOf(input));
    const changed = Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + cut)]);
    const dir = mkdtempSync(join(tmpdir(), 'cortex-fuzz-'));
    try {
      writeFileSync(join(dir, name), changed);
      const report = await verifyAudit(dir, signer);
      expect(report.status === 'intact').toBe(changed.equals(bytes));
      const filter = {
        user: undefined,
        tool: undefined,
        backend: undefined,
        outcome: undefined,
        since: undefined,
        until: undefined,
      };
      const { signal } = new AbortController();
      let records = 0;
      for await (const event of readAudit({
        dir,
        filter,
        last: undefined,
        follow: false,
        verifier: signer,
        signal,
      }))
        if (event.kind === 'record') records += 1;
      expect(records).toBeLessThanOrEqual(changed.toString('latin1').split('\n').length);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

function editOf(text: string): { at?: number; cut?: number; put?: string } {
  try {
    const told: unknown = JSON.parse(text);
    if (typeof told !== 'object' || told === null) return {};
    const { at, cut, put } = { at: undefined, cut: undefined, put: undefined, ...told };
    return {
      ...(typeof at === 'number' && at >= 0 && { at }),
      ...(typeof cut === 'number' && cut >= 0 && { cut }),
      ...(typeof put === 'string' && { put }),
    };
  } catch {
    return { put: text };
  }
}

export const fileTargets: readonly Target[] = [config, plainYaml, line, audit];
