import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';

// A second example of the backend contract: the same frame as the notes, with one tool that only a plan brings.

interface User {
  readonly sub: string;
  readonly scopes: readonly string[];
}
type Params = Readonly<Record<string, unknown>>;

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
  const read = 'mcp:billing:read';
  const exports = 'mcp:billing:export';
  const annotations = { readOnlyHint: true };

  const lists = new Map<unknown, object>([
    [
      'list_tools',
      {
        tools: [
          {
            name: 'get_plan',
            scope: read,
            description: 'The plan you are on, and what it costs.',
            annotations,
          },
          {
            name: 'list_invoices',
            scope: read,
            description: 'Your invoices of one year.',
            params: { year: 'number?' },
            annotations,
          },
          {
            name: 'export_invoices',
            scope: exports,
            description: 'Your invoices as CSV text.',
            params: { year: 'number?' },
            annotations,
          },
          {
            name: 'get_help',
            scope: read,
            description: 'How to use billing.',
            params: { topic: 'string?' },
            annotations,
          },
        ],
      },
    ],
    [
      'get_snapshot',
      {
        backend: 'billing',
        title: 'Billing',
        headline: [{ key: 'invoices', label: 'Invoices a year', value: 12 }],
      },
    ],
  ]);

  /** What users may call: the scope it needs, if any, and the answer. */
  const calls = new Map<
    unknown,
    readonly [scope: string | undefined, run: (user: User, params: Params) => Response]
  >([
    ['get_plan', [read, (user) => json({ plan: planOf(user), priceEur: planOf(user) === 'pro' ? 20 : 0 })]],
    [
      'list_invoices',
      [read, (user, params) => withYear(params, (year) => ({ invoices: invoicesOf(user, year) }))],
    ],
    [
      'export_invoices',
      [
        exports,
        (user, params) =>
          withYear(params, (year) => ({
            filename: `invoices-${year}.csv`,
            csv: [
              'number,date,amount_eur',
              ...invoicesOf(user, year).map((row) => Object.values(row).join(',')),
            ].join('\n'),
          })),
      ],
    ],
    [
      'get_help',
      [
        undefined,
        () => json({ overview: 'Your plan and your invoices.', limits: ['The export needs the pro plan.'] }),
      ],
    ],
    ['whoami', [undefined, (user) => json({ role: 'customer', plan: planOf(user) })]],
  ]);

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
      if (isSame(token, options.technicalToken))
        return list === undefined
          ? json({ error: 'The technical token reads the catalog only.' }, 403)
          : json(list);

      const user = await authenticate(token);
      if (user === undefined) return json({ error: 'This token is not accepted.' }, 401);
      if (list !== undefined) return json({ error: 'The catalog is read with the technical token.' }, 403);
      const call = calls.get(method);
      if (call === undefined) return json({ error: 'unknown method' }, 400);
      const [scope, run] = call;
      if (scope !== undefined && !user.scopes.includes(scope))
        return json({ error: 'A scope is missing.', required: scope }, 403);
      return run(user, params);
    },
  };
}

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
