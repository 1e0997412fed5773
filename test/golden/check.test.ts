import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run, transcript } from '../cli/run.ts';

const environment = { NOTES_TOKEN: 's3cret', BILLING_TOKEN: 's3cret', KEY: 's3cret' };
interface GoldenRun {
  readonly folder: string;
  readonly golden: string;
  readonly line: string;
  readonly extra?: Readonly<Record<string, string>>;
}
const runs: readonly GoldenRun[] = [
  { folder: 'sound', golden: 'plain.txt', line: 'check --config cortex.yaml' },
  { folder: 'sound', golden: 'json.txt', line: 'check --config cortex.yaml --json' },
  {
    folder: 'sound',
    golden: 'overridden.txt',
    line: 'check --config cortex.yaml --listen 0.0.0.0:80',
    extra: { CORTEX__LIMITS__STREAMS: '5', CORTEX_DATABASE_URL: 'x', CORTEX_AUDIT_RETENTION_DAY: '1' },
  },
  { folder: 'five-mistakes', golden: 'plain.txt', line: 'check --config cortex.yaml' },
  { folder: 'five-mistakes', golden: 'json.txt', line: 'check --config cortex.yaml --json' },
  { folder: 'five-mistakes', golden: 'quiet.txt', line: 'check --config cortex.yaml --quiet' },
  { folder: 'servers', golden: 'plain.txt', line: 'check --config cortex.yaml' },
  { folder: 'servers', golden: 'found.txt', line: 'check' },
  { folder: 'server-mistakes', golden: 'plain.txt', line: 'check --config cortex.yaml' },
  { folder: 'found', golden: 'plain.txt', line: 'check' },
];

describe('cortex check', () => {
  test.each(runs)('in $folder prints what $golden holds', async ({ folder, golden, line, extra }) => {
    const cwd = join(import.meta.dirname, 'check', folder);
    const result = await run(line, { cwd, environment: { ...environment, ...extra } });
    expect(result.stdout + result.stderr).not.toContain('s3cret');
    await expect(transcript(line, result, cwd)).toMatchFileSnapshot(join(cwd, golden));
  });
});
