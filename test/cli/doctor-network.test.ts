import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Known, StepDeps } from '#cli/doctor/finding.ts';
import { networkSteps } from '#cli/doctor/network-steps.ts';
import { err, ok } from '#kernel/result.ts';
import { type Certificates, makeCertificates } from '../outbound/certificates.ts';
import { startCortex } from '../support/binary.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

let folder: TempFolder;
let certificates: Certificates;
beforeAll(async () => {
  folder = await createTempFolder();
  certificates = await makeCertificates();
  await Bun.write(join(folder.path, 'ca.pem'), certificates.ca);
});
afterAll(() => folder.remove());

/** The last step that the doctor takes at an https server of nobody's. */
async function lastStep(certificate: string, trusts: boolean, host = '127.0.0.1') {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: { cert: certificate, key: certificates.key },
    fetch: () => new Response('nobody', { status: 418 }),
  });
  await using told = startCortex({
    args: ['doctor', `https://${host}:${server.port}/mcp`, '--json'],
    cwd: folder.path,
    env: trusts ? { NODE_EXTRA_CA_CERTS: join(folder.path, 'ca.pem') } : {},
  });
  const exitCode = await told.exited;
  await server.stop(true);
  const { steps } = JSON.parse(told.output());
  return { ...steps.at(-1), exitCode };
}

describe('the doctor, before a word is said', () => {
  test.each([
    ['has ended', () => certificates.expired, true, 'the certificate ended 20', 'renew it'],
    [
      'is for another name',
      () => certificates.otherName,
      true,
      'the certificate is for other.example, not for 127.0.0.1',
      'have the proxy use a certificate for 127.0.0.1',
    ],
    [
      'is signed by itself',
      () => certificates.selfSigned,
      true,
      'signed by nobody that clients know',
      'get one from a public authority',
    ],
    [
      'lacks the way to an authority',
      () => certificates.good,
      false,
      'authority is not among them',
      'serve the whole chain (fullchain.pem, not cert.pem)',
    ],
  ])('finds a certificate that %s', async (_title, certificate, trusts, found, fix) => {
    const last = await lastStep(certificate(), trusts);
    expect(last).toMatchObject({ step: 'tls', status: 'failed', exitCode: 1 });
    expect(last.found).toContain(found);
    expect(last.fix).toContain(fix);
  });

  test('goes on behind a good certificate', async () => {
    const last = await lastStep(certificates.good, true);
    expect(last).toMatchObject({ step: 'challenge', status: 'failed' });
    expect(last.found).toContain('answered 418, not 401');
  });

  test('finds a port that nobody listens at, and one that speaks no TLS', async () => {
    const nobody = await run(`doctor --json https://127.0.0.1:${freePort()}/mcp`);
    expect(nobody.exitCode).toBe(3);
    expect(JSON.parse(nobody.stdout).steps.at(-1).found).toContain('nobody listens at 127.0.0.1 port');
    const plain = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('plain') });
    const told = await run(`doctor --json https://127.0.0.1:${plain.port}/mcp`);
    await plain.stop(true);
    expect(JSON.parse(told.stdout).steps.at(-1)).toMatchObject({ step: 'tls', status: 'failed' });
    expect(told.stdout).toContain('speaks no TLS that can be used');
  });

  test('finds a name without an address', async () => {
    const told = await run('doctor --json https://no-such-gateway.invalid/mcp');
    expect(told.exitCode).toBe(3);
    expect(JSON.parse(told.stdout).steps.at(-1)).toMatchObject({ step: 'dns', status: 'unreachable' });
    expect(told.stdout).toContain('add an A or AAAA record for no-such-gateway.invalid');
  });

  const at = (url: string): Known => ({
    url,
    options: {
      canonicalUrl: url,
      issuers: [],
      baselineScopes: [],
      challengeScopes: [],
      plans: new Map(),
      scopeImplies: new Map(),
      requiredPool: undefined,
    },
    askedScopes: [],
    addresses: [],
    origin: undefined,
    isOriginNamed: false,
    proxy: undefined,
    gatewayAheadSeconds: undefined,
    issuer: { url: '' },
    metadata: undefined,
    keySet: undefined,
    clockAheadSeconds: undefined,
    token: undefined,
    doubt: undefined,
    session: undefined,
  });
  const deps: StepDeps = {
    probe: async () => err('unused'),
    watch: async () => err('unused'),
    inspectTls: async () =>
      ok({ protocol: 'TLSv1.3', problem: undefined, validUntil: 5 * 86_400_000, names: [], issuer: 'R1' }),
    resolve: async () => ok(['10.0.0.7', '192.0.43.10']),
    now: () => 0,
    listenMs: 0,
    note: () => {},
  };
  const take = (name: string, url: string, with_: Partial<StepDeps> = {}) =>
    networkSteps.find((step) => step.name === name)?.run(at(url), { ...deps, ...with_ });

  test('warns of an address that hosted clients cannot come to, and of a certificate that ends soon', async () => {
    expect(await take('dns', 'https://mcp.example.com/mcp')).toMatchObject({
      status: 'warning',
      found: 'mcp.example.com: 10.0.0.7, 192.0.43.10; 10.0.0.7 is not public',
    });
    expect(await take('tls', 'https://mcp.example.com/mcp')).toMatchObject({
      status: 'warning',
      found: 'TLSv1.3, certificate of R1 ends in 5 days',
    });
  });

  test('names an address of several that nobody is at, and none that this machine has no way to', async () => {
    const url = 'https://mcp.example.com/mcp';
    const addresses = ['192.0.43.10', '2001:500:88:200::10'];
    const tls = networkSteps.find(({ name }) => name === 'tls');
    const good = { protocol: 'TLSv1.3', problem: undefined, validUntil: undefined, names: [], issuer: 'R1' };
    const look = (code: string) =>
      tls?.run(
        { ...at(url), addresses },
        { ...deps, inspectTls: async ({ host }) => (host === addresses[0] ? ok(good) : err(code)) },
      );
    expect(await look('ECONNREFUSED')).toMatchObject({
      status: 'warning',
      found: '1 of 2 addresses answer: nobody is at 2001:500:88:200::10',
      fix: expect.stringContaining('take that record away'),
    });
    expect(await look('ENETUNREACH')).toMatchObject({ status: 'ok' });
  });

  test('refuses plain http anywhere but on this machine', async () => {
    expect(await take('tls', 'http://mcp.example.com/mcp')).toMatchObject({
      status: 'failed',
      fix: expect.stringContaining('set gateway.url to https://mcp.example.com/mcp'),
    });
    expect(await take('tls', 'http://[::1]:3213/mcp')).toMatchObject({ status: 'skipped' });
  });

  test('tells a firewall from a proxy that is down', async () => {
    const silent = await take('tls', 'https://mcp.example.com/mcp', {
      inspectTls: async () => err('timeout'),
    });
    expect(silent).toMatchObject({ status: 'unreachable', fix: expect.stringContaining('firewall') });
  });
});
