import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';

/** What can be wrong with a backend, one at a time. */
export const backendFaults = [
  'believes every token',
  'believes unsigned tokens',
  'forgets expiry',
  'forgets the audience',
  'lists for everyone',
  'runs tools with the technical token',
  'believes headers',
  'mixes users up',
  'breaks on odd bodies',
  'has no list in its list',
  'compresses unasked',
  'has a tool without a scope',
  'answers inherited names',
  'hangs on what it does not know',
] as const;
export type BackendFault = (typeof backendFaults)[number];

export const faultyAudience = 'http://127.0.0.1:3213/mcp';
export const faultyToken = 'a-technical-token-for-tests';

/** A small good backend that trusts issuers on loopback; with a fault, good in everything else. */
export function startFaultyBackend(
  fault: BackendFault | undefined,
): AsyncDisposable & { readonly url: string } {
  const has = (wanted: BackendFault) => fault === wanted;
  const tools = [
    { name: 'read_it', scope: 'mcp:it:read', description: 'Reads.', annotations: { readOnlyHint: true } },
    { name: 'write_it', scope: 'mcp:it:write', description: 'Writes.' },
    ...(has('has a tool without a scope') ? [{ name: 'lost', description: 'Nobody sees it.' }] : []),
  ];
  const answers: Record<string, (user: JWTPayload) => object> = {
    whoami: (user) => ({ user: user.sub }),
    get_help: () => ({ overview: 'It.' }),
    read_it: (user) => ({ of: user.sub }),
    write_it: () => ({ written: true }),
  };
  let lastUser: JWTPayload = {};

  async function verified(token: string): Promise<JWTPayload | undefined> {
    if (has('believes every token')) return token === '' ? undefined : { sub: token };
    try {
      const claims = decodeJwt(token);
      if (has('believes unsigned tokens') && decodeProtectedHeader(token).alg === 'none') return claims;
      if (claims.iss?.startsWith('http://127.0.0.1:') !== true) return undefined;
      const keys = createRemoteJWKSet(new URL(`${claims.iss}/.well-known/jwks.json`));
      const { payload } = await jwtVerify(token, keys, {
        ...(!has('forgets the audience') && { audience: faultyAudience }),
        ...(has('forgets expiry') ? { currentDate: new Date(0) } : { requiredClaims: ['exp'] }),
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  async function answer(request: Request): Promise<Response> {
    const text = await request.text();
    if (has('breaks on odd bodies')) {
      const { method } = JSON.parse(text);
      if (typeof method !== 'string') throw new Error('not a method');
    }
    const call = parsed(text);
    const method = call?.method;
    if (typeof method !== 'string') return Response.json({ error: 'no call' }, { status: 400 });
    const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? '';
    const isTechnical = token === faultyToken;
    if (method === 'list_tools' && (isTechnical || has('lists for everyone'))) {
      if (has('has no list in its list')) return Response.json({ items: tools });
      if (!has('compresses unasked')) return Response.json({ tools });
      return new Response(Bun.gzipSync(JSON.stringify({ tools })), {
        headers: { 'content-encoding': 'gzip' },
      });
    }
    const isKnown = has('answers inherited names') ? method in answers : Object.hasOwn(answers, method);
    if (isTechnical && !has('runs tools with the technical token')) {
      const isList = method.startsWith('list_');
      return Response.json(
        { error: isList ? 'Unknown method' : 'lists only' },
        { status: isList ? 404 : 403 },
      );
    }
    const user = isTechnical ? { sub: 'nobody' } : await verified(token);
    if (user === undefined) return Response.json({ error: 'not accepted' }, { status: 401 });
    if (method === 'list_tools') return Response.json({ error: 'technical token' }, { status: 403 });
    if (!isKnown) {
      if (has('hangs on what it does not know')) await new Promise(() => {});
      return Response.json({ error: 'Unknown method' }, { status: 404 });
    }
    const scope = tools.find(({ name }) => name === method)?.scope;
    if (
      scope !== undefined &&
      !String(user.scope).includes(scope) &&
      !isTechnical &&
      fault !== 'believes every token'
    )
      return Response.json({ error: 'scope', required: scope }, { status: 403 });
    lastUser = user;
    if (has('mixes users up')) await Bun.sleep(40);
    const said = has('mixes users up') ? lastUser : user;
    const header = request.headers.get('x-cortex-user-id');
    const shown = has('believes headers') && header !== null ? { sub: header } : said;
    return Response.json(answers[method]?.(shown) ?? {});
  }

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 5,
    fetch: (request) => answer(request),
    error: () => new Response('<h1>Oops</h1>', { status: 500, headers: { 'content-type': 'text/html' } }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
