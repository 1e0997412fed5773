import { exportJWK, importX509 } from 'jose';
import { expect, test } from 'vitest';
import type { Known } from '#cli/doctor/finding.ts';
import { keys } from '#cli/doctor/key-step.ts';
import { ok } from '#kernel/result.ts';
import { createTempFolder } from '../support/temp-folder.ts';

/** A self-signed certificate that is good for a day, and its key as JWK. */
async function certifiedKey() {
  await using folder = await createTempFolder();
  const run = Bun.spawnSync(
    'openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=x'.split(' '),
    { cwd: folder.path },
  );
  if (!run.success) throw new Error(run.stderr.toString());
  const pem = await Bun.file(`${folder.path}/cert.pem`).text();
  const jwk = await exportJWK(await importX509(pem, 'RS256', { extractable: true }));
  return { ...jwk, kid: 'certified', x5c: [pem.replaceAll(/-----[A-Z ]+-----|\s/g, '')] };
}

const known: Known = {
  url: 'https://mcp.example.com/mcp',
  options: {
    canonicalUrl: 'https://mcp.example.com/mcp',
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
  issuer: { url: 'https://id.example', jwksUri: 'https://id.example/keys' },
  metadata: undefined,
  keySet: undefined,
  clockAheadSeconds: undefined,
  token: undefined,
  doubt: undefined,
  session: undefined,
};

test('a key is good for as long as its certificate, and a broken certificate says nothing', async () => {
  const key = await certifiedKey();
  const look = (jwk: object, now: number) =>
    keys(known, {
      probe: async () =>
        ok({ status: 200, header: () => undefined, json: { keys: [JSON.parse(JSON.stringify(jwk))] } }),
      now: () => now,
    });
  expect(await look(key, Date.now())).toMatchObject({ status: 'ok', details: ['key certified: good'] });
  const later = await look(key, Date.now() + 10 * 86_400_000);
  expect(later.status).toBe('failed');
  expect(later.details?.[0]).toMatch(/^key certified: expired \d{4}-\d\d-\d\d$/);
  expect(await look({ ...key, x5c: ['bm8='] }, Date.now())).toMatchObject({ status: 'ok' });
});
