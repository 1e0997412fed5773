import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const lifetimeSeconds = 8 * 3_600;

/** An issuer for development: a key of this start alone, its JWKS on loopback, and one principal, `dev`. */
export interface DevIssuer {
  readonly url: string;
  /** An RS256 access token for `audience`, good for eight hours. */
  mint(audience: string, scopes: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export async function startDevIssuer(): Promise<DevIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const key = { ...(await exportJWK(publicKey)), kid: 'dev', alg: 'RS256', use: 'sig' };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      return pathname === '/.well-known/jwks.json'
        ? Response.json({ keys: [key] })
        : Response.json({ error: 'not_found' }, { status: 404 });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    mint: (audience, scopes) =>
      new SignJWT({ scope: scopes.join(' '), client_id: 'cortex-dev' })
        .setProtectedHeader({ alg: 'RS256', kid: 'dev', typ: 'at+jwt' })
        .setIssuer(url)
        .setSubject('dev')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds}s`)
        .sign(privateKey),
    close: () => server.stop(true),
  };
}
