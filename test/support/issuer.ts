import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';

export interface TestIssuerOptions {
  /** `aud` of every token unless a claim says otherwise. */
  readonly audience: string;
  readonly algorithm?: 'RS256' | 'PS256' | 'ES256' | 'EdDSA';
  /** Without discovery documents the keys are still at `/.well-known/jwks.json`. */
  readonly discovery?: boolean;
  readonly port?: number;
  /** Answers the token endpoint; without it there is none. */
  readonly onToken?: (form: URLSearchParams, request: Request) => Response;
}

/** Claims over the defaults; one that is undefined is left out of the token. */
export type TokenClaims = JWTPayload & { readonly scope?: string | undefined };

export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  readonly jwksUrl: string;
  /** How often the keys were fetched. */
  keyFetches(): number;
  /** A token for `user-1`, good for an hour, signed with the newest key. */
  mint(claims?: TokenClaims, header?: { readonly typ?: string; readonly kid?: string }): Promise<string>;
  /** Signs with a new key from now on; the old one stays published unless `drop`. */
  rotate(options?: { readonly drop?: boolean }): Promise<void>;
  /** Every request is answered 503 until `comeBack`. */
  goDown(): void;
  comeBack(): void;
  close(): Promise<void>;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** An authorization server reduced to what a resource server sees of it: metadata and keys over HTTP. */
export async function createIssuer(options: TestIssuerOptions): Promise<TestIssuer> {
  const algorithm = options.algorithm ?? 'RS256';
  let keys: readonly SigningKey[] = [await createKey(algorithm, 1)];
  let minted = 1;
  let fetches = 0;
  let isDown = false;

  const server: Bun.Server<undefined> = Bun.serve({
    port: options.port ?? 0,
    hostname: '127.0.0.1',
    async fetch(request): Promise<Response> {
      if (isDown) return new Response('down', { status: 503 });
      const { pathname } = new URL(request.url);
      if (pathname === '/.well-known/jwks.json') {
        fetches += 1;
        return Response.json({ keys: keys.map((key) => key.publicJwk) });
      }
      if (pathname === '/token' && options.onToken !== undefined) {
        return options.onToken(new URLSearchParams(await request.text()), request);
      }
      const isDiscovery =
        pathname === '/.well-known/oauth-authorization-server' ||
        pathname === '/.well-known/openid-configuration';
      if (isDiscovery && options.discovery !== false) return Response.json(metadata(url));
      return new Response('not found', { status: 404 });
    },
  });
  const url: string = `http://127.0.0.1:${server.port}`;

  async function mint(
    claims: TokenClaims = {},
    header: { readonly typ?: string; readonly kid?: string } = {},
  ): Promise<string> {
    const key = keys[0];
    if (key === undefined) throw new Error('the issuer has no key');
    const now = Math.floor(Date.now() / 1000);
    const payload: JWTPayload = {
      iss: url,
      sub: 'user-1',
      aud: options.audience,
      client_id: 'test-client',
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 3600,
      ...claims,
    };
    return new SignJWT(JSON.parse(JSON.stringify(payload)))
      .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: key.kid, ...header })
      .sign(key.privateKey);
  }

  async function rotate(rotation: { readonly drop?: boolean } = {}): Promise<void> {
    minted += 1;
    const next = await createKey(algorithm, minted);
    keys = rotation.drop === true ? [next] : [next, ...keys];
  }

  const close = () => server.stop(true);
  return {
    url,
    jwksUrl: `${url}/.well-known/jwks.json`,
    keyFetches: () => fetches,
    mint,
    rotate,
    goDown: () => {
      isDown = true;
    },
    comeBack: () => {
      isDown = false;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function createKey(algorithm: string, number: number): Promise<SigningKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const kid = `key-${number}`;
  const publicJwk = { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' };
  return { kid, privateKey: pair.privateKey, publicJwk };
}

function metadata(url: string): object {
  return {
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
