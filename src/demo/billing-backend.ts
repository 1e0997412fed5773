import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';

// A second example of the backend contract: the same frame as the notes, with one tool that only a plan brings.

interface User {
  readonly sub: string;
  readonly scopes: readonly string[];
}
type Params = Readonly<Record<string, unknown>>;
type Handler = (user: User, params: Params) => Response;

export interface BillingBackend {
  fetch(request: Request): Promise<Response>;
}

/** Invoices of the caller: every plan sees the account, the pro plan's scope exports it. */
export function createBillingBackend(options: {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  readonly technicalToken: string;
}): BillingBackend {
  const keys = createRemoteJWKSet(new URL(options.jwksUri));
  const tools: object[] = [];
  const calls = new Map<unknown, { readonly scope: string | undefined; readonly run: Handler }>();
  function addTool(name: string, scope: string, description: string, params: Params, run: Handler): void {
    tools.push({ name, scope, description, params, annotations: { readOnlyHint: true } });
    calls.set(name, { scope, run });
  }

  const [read, exports] = ['mcp:billing:read', 'mcp:billing:export'];
  const ofYear = { year: 'number?' };
  addTool('get_plan', read, 'The plan you are on, and what it costs.', {}, (user) =>
    json({ plan: planOf(user), priceEur: planOf(user) === 'pro' ? 20 : 0 }),
  );
  addTool('list_invoices', read, 'Your invoices of one year.', ofYear, (user, params) =>
    withYear(params, (year) => ({ invoices: invoicesOf(user, year) })),
  );
  addTool('export_invoices', exports, 'Your invoices of one year as CSV text.', ofYear, (user, params) =>
    withYear(params, (year) => {
      const rows = invoicesOf(user, year).map((invoice) => Object.values(invoice).join(','));
      return { filename: `invoices-${year}.csv`, csv: ['number,date,amount_eur', ...rows].join('\n') };
    }),
  );
  addTool('get_help', read, 'How to use billing.', {}, () =>
    json({ overview: 'Your plan and your invoices.', limits: ['The export needs the pro plan.'] }),
  );
  calls.set('whoami', { scope: undefined, run: (user) => json({ role: 'customer', plan: planOf(user) }) });

  const lists = new Map<unknown, object>([['list_tools', { tools }]]);

  function planOf(user: User): 'free' | 'pro' {
    return user.scopes.includes(exports) ? 'pro' : 'free';
  }
  /** Made up, but always the same for the same person. */
  function invoicesOf(user: User, year: number) {
    const seed = createHash('sha256').update(`${user.sub} ${year}`).digest();
    return [...seed.subarray(0, 12)].map((byte, index) => {
      const month = String(index + 1).padStart(2, '0');
      return { number: `${year}-${month}`, date: `${year}-${month}-01`, amountEur: 20 + (byte % 30) };
    });
  }
  function withYear({ year = 2026 }: Params, answer: (year: number) => object): Response {
    if (typeof year !== 'number' || !Number.isInteger(year) || year < 2000 || year > 2100)
      return json({ error: 'year must be a whole number from 2000 to 2100.' }, 422);
    return json(answer(year));
  }

  /** Whom a token speaks for. Signature, issuer, audience and expiry are checked here, whatever the gateway did. */
  async function authenticate(token: string): Promise<User | undefined> {
    const { issuer, audience } = options;
    const checks = {
      issuer,
      audience,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      requiredClaims: ['sub', 'exp'],
    };
    const verified = await jwtVerify<{ scope?: unknown }>(token, keys, checks).catch(() => undefined);
    if (verified?.payload.sub === undefined) return undefined;
    return { sub: verified.payload.sub, scopes: String(verified.payload.scope ?? '').split(' ') };
  }

  return {
    async fetch(request) {
      const token = request.headers.get('authorization')?.replace(/^Bearer /i, '') ?? '';
      const { method, params } = await readCall(request);
      const list = lists.get(method);
      if (isSame(token, options.technicalToken)) {
        if (list !== undefined) return json(list);
        if (optionalLists.has(method)) return json({ error: 'unknown method' }, 400);
        return json({ error: 'The technical token reads the catalog only.' }, 403);
      }

      const user = await authenticate(token);
      if (user === undefined) return json({ error: 'This token is not accepted.' }, 401);
      if (list !== undefined) return json({ error: 'The catalog is read with the technical token.' }, 403);
      const call = calls.get(method);
      if (call === undefined) return json({ error: 'unknown method' }, 400);
      const { scope, run } = call;
      if (scope === undefined || user.scopes.includes(scope)) return run(user, params);
      return json({ error: 'A scope is missing.', required: scope }, 403);
    },
  };
}

/** What a gateway asks for with the technical token, whether or not there is any. */
const optionalLists: ReadonlySet<unknown> = new Set([
  'list_prompts',
  'list_resources',
  'list_resource_templates',
  'get_snapshot',
]);

function json(body: object, status = 200): Response {
  return Response.json(body, { status });
}

async function readCall(request: Request): Promise<{ readonly method: unknown; readonly params: Params }> {
  const body: unknown = await request.json().catch(() => undefined);
  if (!isObject(body)) return { method: undefined, params: {} };
  return { method: body.method, params: isObject(body.params) ? body.params : {} };
}

function isObject(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares two secrets in constant time. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((value) => createHash('sha256').update(value).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
