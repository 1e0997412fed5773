import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface SigningKey {
  readonly alg: string;
  readonly kid: string | undefined;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

/** A key pair; `alg` in the JWK, as most issuers publish it. */
export async function makeKey(alg: string, kid: string | undefined): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', ...(kid !== undefined && { kid }) };
  return { alg, kid, privateKey, publicKey, jwk };
}

export function sign(
  key: SigningKey,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT(JSON.parse(JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
    .sign(key.privateKey);
}

/** An issuer reduced to its documents over HTTP; each can be changed, delayed or taken away while it runs. */
export interface KeyServer extends AsyncDisposable {
  readonly origin: string;
  /** Path -> the JSON served there; a missing path is 404. */
  readonly documents: Map<string, unknown>;
  /** Every path that was asked for. */
  readonly requests: string[];
  isDown: boolean;
  delayMs: number;
}

export function startKeyServer(): KeyServer {
  const documents = new Map<string, unknown>();
  const requests: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url);
      requests.push(pathname);
      if (keyServer.delayMs > 0) await Bun.sleep(keyServer.delayMs);
      if (keyServer.isDown) return new Response('down', { status: 503 });
      const document = documents.get(pathname);
      return document === undefined ? new Response('none', { status: 404 }) : Response.json(document);
    },
  });
  const keyServer: KeyServer = {
    origin: `http://127.0.0.1:${server.port}`,
    documents,
    requests,
    isDown: false,
    delayMs: 0,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return keyServer;
}

/** Publishes metadata at the RFC 8414 place and the keys at `/keys`. */
export function publish(server: KeyServer, keys: readonly SigningKey[], issuer = server.origin): void {
  server.documents.set('/.well-known/oauth-authorization-server', {
    issuer,
    jwks_uri: `${server.origin}/keys`,
  });
  server.documents.set('/keys', { keys: keys.map((key) => key.jwk) });
}
