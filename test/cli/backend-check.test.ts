import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allChecks } from '#cli/backend-check/run-checks.ts';
import {
  type BackendFault,
  backendFaults,
  faultyAudience,
  faultyToken,
  startFaultyBackend,
} from '../support/faulty-backend.ts';
import { createIssuer } from '../support/issuer.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

interface Report {
  readonly failed: number;
  readonly checks: readonly { readonly id: string; readonly outcome: string; readonly detail?: string }[];
}

const environment = { CORTEX_TECHNICAL_TOKEN: faultyToken };

async function check(url: string, more = '', cwd = '/nowhere') {
  const result = await run(`backend check ${url} --json --quiet ${more}`, { environment, cwd });
  const report: Report = JSON.parse(result.stdout);
  const failed = report.checks.filter(({ outcome }) => outcome === 'fail').map(({ id }) => id);
  return { ...result, report, failed };
}

/** The check that names each fault; others may fail because of it, too. */
const namedBy: Readonly<Record<BackendFault, string>> = {
  'believes every token': 'refuses-nonsense',
  'believes unsigned tokens': 'refuses-unsigned',
  'forgets expiry': 'refuses-expired',
  'forgets the audience': 'refuses-wrong-audience',
  'lists for everyone': 'lists-need-technical-token',
  'runs tools with the technical token': 'technical-token-runs-nothing',
  'believes headers': 'believes-the-token',
  'mixes users up': 'at-once',
  'breaks on odd bodies': 'odd-bodies',
  'has no list in its list': 'list-tools',
  'compresses unasked': 'list-tools',
  'has a tool without a scope': 'tool-scopes',
  'answers inherited names': 'inherited-names',
  'hangs on what it does not know': 'unknown-method',
};

describe('cortex backend check', () => {
  test('passes a good backend, in every check', async () => {
    await using backend = startFaultyBackend(undefined);
    const { exitCode, report } = await check(backend.url);
    expect(report.checks.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    expect(report.checks).toHaveLength(allChecks.length);
    expect(exitCode).toBe(0);
  });

  test.each(backendFaults)('names what is wrong with a backend that %s', async (fault) => {
    await using backend = startFaultyBackend(fault);
    const { exitCode, failed } = await check(backend.url, '--timeout 1500');
    expect(failed).toContain(namedBy[fault]);
    expect(exitCode).toBe(1);
  });

  test('a fault of one kind leaves the checks of another kind alone', async () => {
    await using backend = startFaultyBackend('forgets the audience');
    expect((await check(backend.url)).failed).toEqual(['refuses-wrong-audience']);
    await using other = startFaultyBackend('lists for everyone');
    expect((await check(other.url)).failed).toEqual(['lists-need-technical-token']);
  });

  test('takes the tokens of real users, and says what it could not try with them', async () => {
    await using backend = startFaultyBackend(undefined);
    await using issuer = await createIssuer({ audience: faultyAudience });
    const [ada, bob] = await Promise.all(
      ['ada', 'bob'].map((sub) => issuer.mint({ sub, scope: 'mcp:it:read mcp:it:write' })),
    );
    const { exitCode, report } = await check(backend.url, `--token ${ada} --token-other ${bob}`);
    expect(exitCode).toBe(0);
    const skipped = report.checks.filter(({ outcome }) => outcome === 'skip');
    expect(skipped.map(({ id }) => id)).toContain('refuses-expired');
    expect(skipped[0]?.detail).toContain('leave out --token');
  });

  test('says what to do where the backend does not trust the issuer, is not there, or no token is given', async () => {
    await using backend = startFaultyBackend(undefined);
    const elsewhere = await check(backend.url, '--audience https://elsewhere.example/mcp');
    const refused = elsewhere.report.checks.find(({ id }) => id === 'accepts-user');
    expect(refused?.detail).toContain('have it trust the issuer http://127.0.0.1:');
    expect(refused?.detail).toContain('the audience https://elsewhere.example/mcp');
    expect(refused?.detail).toContain('--audience URL');

    const gone = await run('backend check http://127.0.0.1:9', { environment });
    expect(gone).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('start the backend') });
    const bare = await run('backend check http://127.0.0.1:9');
    expect(bare).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('CORTEX_TECHNICAL_TOKEN') });
    const odd = await run('backend check localhost:4820', { environment });
    expect(odd).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('http://127.0.0.1:4820') });
  });

  test('writes a JUnit report, and speaks plainly', async () => {
    await using folder = await createTempFolder();
    await using backend = startFaultyBackend('forgets expiry');
    const plain = await run(`backend check ${backend.url} --junit report.xml`, {
      environment,
      cwd: folder.path,
    });
    expect(plain.stdout).toContain('FAIL  an expired token is answered 401  (Two kinds of token)');
    expect(plain.stdout).toMatch(/\d+ checks passed, \d+ failed/);
    const junit = await readFile(join(folder.path, 'report.xml'), 'utf8');
    expect(junit).toContain(`tests="${allChecks.length}"`);
    expect(junit).toMatch(
      /<testcase[^>]*name="an expired token is answered 401"[^>]*><failure message="it was/,
    );
  });

  test('each check names a heading of the contract’s page', async () => {
    const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'contract.md'), 'utf8');
    const headings = new Set([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading));
    expect(allChecks.filter(({ clause }) => !headings.has(clause)).map(({ id }) => id)).toEqual([]);
    expect(new Set(allChecks.map(({ id }) => id)).size).toBe(allChecks.length);
  });
});
