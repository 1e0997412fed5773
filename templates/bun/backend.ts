import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';

// A backend of Cortex Gateway: tasks, each with one owner. Put your own data and tools in the place of these.

const env = process.env;
const technicalToken = env.CORTEX_TECHNICAL_TOKEN ?? '';
if (technicalToken === '')
  throw new Error('Set CORTEX_TECHNICAL_TOKEN to the secret shared with the gateway.');
const audience = env.OAUTH_AUDIENCE ?? 'http://127.0.0.1:3213/mcp';

/** Whose tokens count: your issuer's; and, with `identity: assert`, the gateway's own, made for this backend alone. */
const trusted = new Map([
  [env.OAUTH_ISSUER, { audience, jwks: env.OAUTH_JWKS_URL }],
  [env.CORTEX_ASSERTION_ISSUER, { audience: env.CORTEX_ASSERTION_AUDIENCE ?? '', jwks: undefined }],
]);
/** Without an issuer of your own: development, on this machine alone, with any issuer on this machine. */
const isDevelopment = env.OAUTH_ISSUER === undefined && env.CORTEX_ASSERTION_ISSUER === undefined;
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

interface User {
  /** Issuer and subject: two issuers may have the same subject. */
  readonly key: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

/** Whom a token speaks for. Signature, issuer, audience and times are checked here, whatever the gateway did. */
async function authenticate(token: string): Promise<User | undefined> {
  try {
    const issuer = decodeJwt(token).iss ?? '';
    const isLocal = isDevelopment && /^http:\/\/127\.0\.0\.1:\d+$/.test(issuer);
    const trust = trusted.get(issuer) ?? (isLocal ? { audience, jwks: undefined } : undefined);
    if (trust === undefined) return undefined;
    const keys =
      keySets.get(issuer) ??
      createRemoteJWKSet(new URL(trust.jwks ?? `${issuer.replace(/\/$/, '')}/.well-known/jwks.json`));
    if (keySets.size < 100) keySets.set(issuer, keys);
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience: trust.audience,
      algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      requiredClaims: ['sub', 'exp'],
    });
    return userOf(payload);
  } catch {
    return undefined;
  }
}

function userOf(claims: JWTPayload): User {
  // An assertion says in `sub_id` whose `sub` it is (RFC 9493).
  const id = (claims.sub_id ?? claims) as { iss?: string; sub?: string };
  return {
    key: JSON.stringify([id.iss, id.sub]),
    name: String(claims.email ?? claims.sub),
    scopes: String(claims.scope ?? '').split(' '),
  };
}

type Params = Record<string, unknown>;
/** What is answered with another status than 200. Write `error` for an agent: it reads the text and acts on it. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly more: object = {},
  ) {
    super(message);
  }
}

interface Task {
  readonly id: string;
  readonly owner: string;
  readonly title: string;
  isDone: boolean;
}
const tasks = new Map<string, Task>();

function addTask(user: User, title: unknown): Task {
  if (typeof title !== 'string' || title === '' || title.length > 500)
    throw new Refusal(422, 'A task has a title of 1 to 500 characters.');
  const task = { id: crypto.randomUUID().slice(0, 8), owner: user.key, title, isDone: false };
  tasks.set(task.id, task);
  return task;
}

/** The gateway says who asks; who may do what is decided here. */
function ownTask(user: User, id: unknown): Task {
  const task = tasks.get(String(id));
  if (task === undefined) throw new Refusal(404, 'There is no such task; list_tasks shows yours.');
  if (task.owner !== user.key) throw new Refusal(403, 'This task belongs to somebody else.');
  return task;
}

const shown = ({ id, title, isDone }: Task) => ({ id, title, isDone });

const tools: Record<string, { run: (user: User, params: Params) => object; [key: string]: unknown }> = {
  list_tasks: {
    scope: 'mcp:tasks:read',
    description: 'List your tasks, the open ones unless asked for all.',
    params: { all: 'boolean?' },
    annotations: { readOnlyHint: true },
    run: (user, { all }) => ({
      tasks: [...tasks.values()]
        .filter((task) => task.owner === user.key && (all || !task.isDone))
        .map(shown),
    }),
  },
  add_task: {
    scope: 'mcp:tasks:write',
    description: 'Add a task of your own.',
    params: { title: 'string' },
    run: (user, { title }) => shown(addTask(user, title)),
  },
  complete_task: {
    scope: 'mcp:tasks:write',
    description: 'Mark one of your tasks as done.',
    params: { id: 'string' },
    annotations: { idempotentHint: true },
    run: (user, { id }) => shown(Object.assign(ownTask(user, id), { isDone: true })),
  },
};

/** What is no tool: the lists, for the technical token; the rest, for users. */
const lists: Record<string, object> = {
  list_tools: { tools: Object.entries(tools).map(([name, { run: _, ...tool }]) => ({ name, ...tool })) },
  // list_prompts: { prompts: [{ name: 'plan_day', description: 'Plan my day.', scope: 'mcp:tasks:read' }] },
  // list_resources: { resources: [{ uri: 'tasks://help', name: 'Help', scope: 'mcp:tasks:read' }] },
};
/** What a gateway asks for with the technical token, whether or not it is here. */
const optionalLists = new Set(['list_prompts', 'list_resources', 'list_resource_templates', 'get_snapshot']);
const methods: Record<string, (user: User, params: Params) => object> = {
  get_help: () => ({
    overview: 'Tasks, each with one owner.',
    workflows: ['list_tasks, then complete_task'],
  }),
  whoami: (user) => ({ name: user.name, mayWrite: user.scopes.includes('mcp:tasks:write') }),
  // get_prompt: () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'Plan my day.' } }] }),
  // read_resource: (_user, { uri }) => ({ contents: [{ uri, mimeType: 'text/plain', text: 'Tasks.' }] }),
};

async function answer(request: Request): Promise<object> {
  const token = request.headers.get('authorization')?.replace(/^Bearer /i, '') ?? '';
  const body: unknown = await request.json().catch(() => undefined);
  const { method, params } = (body ?? {}) as { method?: unknown; params?: Params };
  if (typeof method !== 'string') throw new Refusal(400, 'The body is {"method": "...", "params": {...}}.');
  const list = Object.hasOwn(lists, method) ? lists[method] : undefined;
  if (isSame(token, technicalToken)) {
    if (list !== undefined) return list;
    throw new Refusal(optionalLists.has(method) ? 404 : 403, 'The technical token reads the lists alone.');
  }
  const user = await authenticate(token);
  if (user === undefined) throw new Refusal(401, 'This token is not accepted.');
  if (list !== undefined) throw new Refusal(403, 'The lists are read with the technical token.');
  const isTool = request.headers.get('x-cortex-kind') === 'tool' || !Object.hasOwn(methods, method);
  const known = isTool ? Object.hasOwn(tools, method) && tools[method]?.run : methods[method];
  if (!known) throw new Refusal(404, `Unknown method ${method.slice(0, 100)}`);
  const required = isTool ? String(tools[method]?.scope) : undefined;
  if (required && !user.scopes.includes(required))
    throw new Refusal(403, 'A scope is missing.', { required });
  return known(user, params ?? {});
}

/** Compares two secrets in constant time. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const server = Bun.serve({
  hostname: env.HOST ?? '127.0.0.1',
  port: Number(env.PORT ?? 4820),
  maxRequestBodySize: 1024 * 1024,
  async fetch(request) {
    if (new URL(request.url).pathname === '/healthz') return new Response('ok\n');
    try {
      return Response.json(await answer(request));
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(error);
      const { status, message, more } =
        error instanceof Refusal ? error : new Refusal(500, 'Something went wrong here.');
      return Response.json({ error: message, ...more }, { status });
    }
  },
});
if (isDevelopment)
  console.log('development: tokens of any issuer on 127.0.0.1 are accepted; set OAUTH_ISSUER');
console.log(`listening on ${server.port}`);
