import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JsonObject } from '#kernel/json.ts';

/** An issuer that lives as long as a check of a backend: it makes good tokens, and every kind of bad one. */
export interface CheckIssuer {
  readonly url: string;
  /** Whom its tokens are for. */
  readonly audience: string;
  readonly jwksUri: string;
  /** A good token of five minutes for the audience; `claims` replace its own, an undefined one leaves it out. */
  mint(claims: JsonObject): Promise<string>;
  /** The same, signed with a key that nobody published, under the id of the published one. */
  forge(claims: JsonObject): Promise<string>;
  close(): Promise<void>;
}

/** On loopback; port 0 takes a free one. */
export async function startCheckIssuer(audience: string, port: number): Promise<CheckIssuer> {
  const [own, stranger] = await Promise.all([generateKeyPair('RS256'), generateKeyPair('RS256')]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'check', alg: 'RS256', use: 'sig' };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    fetch(request): Response {
      const { pathname } = new URL(request.url);
      if (pathname === '/.well-known/jwks.json') return Response.json({ keys: [jwk] });
      if (pathname.startsWith('/.well-known/')) return Response.json(metadata());
      return Response.json({ error: 'not_found' }, { status: 404 });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const jwksUri = `${url}/.well-known/jwks.json`;
  function metadata(): JsonObject {
    return { issuer: url, jwks_uri: jwksUri };
  }

  function sign(key: CryptoKey, claims: JsonObject): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const usual = { iss: url, aud: audience, iat: now, exp: now + 300, jti: crypto.randomUUID() };
    const all = Object.entries({ ...usual, client_id: 'cortex-check', ...claims });
    const given = Object.fromEntries(all.filter(([, value]) => value !== undefined));
    return new SignJWT(given).setProtectedHeader({ alg: 'RS256', kid: 'check', typ: 'at+jwt' }).sign(key);
  }

  return {
    url,
    audience,
    jwksUri,
    mint: (claims) => sign(own.privateKey, claims),
    forge: (claims) => sign(stranger.privateKey, claims),
    close: () => server.stop(true),
  };
}
