import { createHash, createPublicKey, randomUUID, timingSafeEqual, verify } from 'node:crypto';
import { createServer } from 'node:http';

// A backend of Cortex Gateway: tasks, each with one owner. Put your own data and tools in the place of these.

const env = process.env;
const technicalToken = env.CORTEX_TECHNICAL_TOKEN ?? '';
if (!technicalToken) throw new Error('Set CORTEX_TECHNICAL_TOKEN to the secret shared with the gateway.');
const audience = env.OAUTH_AUDIENCE ?? 'http://127.0.0.1:3213/mcp';

/** Whose tokens count: your issuer's; and, with `identity: assert`, the gateway's own, made for this backend alone. */
const trusted = new Map();
if (env.OAUTH_ISSUER) trusted.set(env.OAUTH_ISSUER, { audience, jwks: env.OAUTH_JWKS_URL });
if (env.CORTEX_ASSERTION_ISSUER)
  trusted.set(env.CORTEX_ASSERTION_ISSUER, { audience: env.CORTEX_ASSERTION_AUDIENCE });
/** Without an issuer of your own: development, on this machine alone, with any issuer on this machine. */
const isDevelopment = trusted.size === 0;

/** What is answered with another status than 200. Write `error` for an agent: it reads the text and acts on it. */
class Refusal extends Error {
  constructor(status, message, more = {}) {
    super(message);
    Object.assign(this, { status, more });
  }
}

const keySets = new Map();
/** The issuer's key of this id; an unknown one is looked for again, at most every 5 seconds. */
async function keyOf(issuer, url, kid) {
  const held = keySets.get(issuer) ?? { keys: [], readAt: 0 };
  const find = () =>
    held.keys.find((jwk) => jwk.kid === kid || (kid === undefined && held.keys.length === 1));
  if (!find() && Date.now() - held.readAt > 5000 && (keySets.size < 100 || keySets.has(issuer))) {
    keySets.set(issuer, held);
    held.readAt = Date.now();
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'error' });
    held.keys = (await answer.json()).keys.filter(
      (jwk) => jwk.kty === 'RSA' || jwk.kty === 'EC' || jwk.kty === 'OKP',
    );
  }
  return find();
}

const algorithms = {
  RS256: { kty: 'RSA', hash: 'sha256' },
  ES256: { kty: 'EC', hash: 'sha256', dsaEncoding: 'ieee-p1363' },
  EdDSA: { kty: 'OKP', hash: null },
};

/** Whom a token speaks for. Signature, issuer, audience and times are checked here, whatever the gateway did. */
async function authenticate(token) {
  try {
    const [head, body, signature, ...rest] = token.split('.');
    const [header, claims] = [head, body].map((part) =>
      JSON.parse(Buffer.from(part, 'base64url').toString()),
    );
    const isLocal = isDevelopment && /^http:\/\/127\.0\.0\.1:\d+$/.test(claims.iss);
    const trust = trusted.get(claims.iss) ?? (isLocal && { audience });
    const algorithm = Object.hasOwn(algorithms, header.alg) && algorithms[header.alg];
    if (!trust || !algorithm || rest.length > 0 || header.crit) return undefined;
    const jwks = trust.jwks ?? `${claims.iss.replace(/\/$/, '')}/.well-known/jwks.json`;
    const jwk = await keyOf(claims.iss, jwks, header.kid);
    if (jwk?.kty !== algorithm.kty) return undefined;
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: algorithm.dsaEncoding };
    const signed = Buffer.from(`${head}.${body}`);
    if (!verify(algorithm.hash, signed, key, Buffer.from(signature, 'base64url'))) return undefined;
    const now = Date.now() / 1000;
    const isForUs = [claims.aud].flat().includes(trust.audience);
    if (!isForUs || typeof claims.sub !== 'string' || !(claims.exp > now) || claims.nbf > now + 30)
      return undefined;
    // An assertion says in `sub_id` whose `sub` it is (RFC 9493): two issuers may have the same subject.
    const id = claims.sub_id ?? claims;
    const scopes = String(claims.scope ?? '').split(' ');
    return { key: JSON.stringify([id.iss, id.sub]), name: claims.email ?? claims.sub, scopes };
  } catch {
    return undefined;
  }
}

const tasks = new Map();
/** The gateway says who asks; who may do what is decided here. */
function ownTask(user, id) {
  const task = tasks.get(id);
  if (!task) throw new Refusal(404, 'There is no such task; list_tasks shows yours.');
  if (task.owner !== user.key) throw new Refusal(403, 'This task belongs to somebody else.');
  return task;
}
const shown = ({ id, title, isDone }) => ({ id, title, isDone });

const tools = {
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
    run(user, { title }) {
      if (typeof title !== 'string' || title === '' || title.length > 500)
        throw new Refusal(422, 'A task has a title of 1 to 500 characters.');
      const task = { id: randomUUID().slice(0, 8), owner: user.key, title, isDone: false };
      tasks.set(task.id, task);
      return shown(task);
    },
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
const lists = {
  list_tools: { tools: Object.entries(tools).map(([name, { run, ...tool }]) => ({ name, ...tool })) },
  // list_prompts: { prompts: [{ name: 'plan_day', description: 'Plan my day.', scope: 'mcp:tasks:read' }] },
  // list_resources: { resources: [{ uri: 'tasks://help', name: 'Help', scope: 'mcp:tasks:read' }] },
};
/** What a gateway asks for with the technical token, whether or not it is here. */
const optionalLists = new Set(['list_prompts', 'list_resources', 'list_resource_templates', 'get_snapshot']);
const methods = {
  get_help: () => ({
    overview: 'Tasks, each with one owner.',
    workflows: ['list_tasks, then complete_task'],
  }),
  whoami: (user) => ({ name: user.name, mayWrite: user.scopes.includes('mcp:tasks:write') }),
  // get_prompt: () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'Plan my day.' } }] }),
  // read_resource: (user, { uri }) => ({ contents: [{ uri, mimeType: 'text/plain', text: 'Tasks.' }] }),
};

async function answer(headers, body) {
  const token = (headers.authorization ?? '').replace(/^Bearer /i, '');
  const { method, params } = body ?? {};
  if (typeof method !== 'string') throw new Refusal(400, 'The body is {"method": "...", "params": {...}}.');
  const list = Object.hasOwn(lists, method) && lists[method];
  if (isSame(token, technicalToken)) {
    if (list) return list;
    throw new Refusal(optionalLists.has(method) ? 404 : 403, 'The technical token reads the lists alone.');
  }
  const user = await authenticate(token);
  if (!user) throw new Refusal(401, 'This token is not accepted.');
  if (list) throw new Refusal(403, 'The lists are read with the technical token.');
  const isTool = headers['x-cortex-kind'] === 'tool' || !Object.hasOwn(methods, method);
  const tool = isTool && Object.hasOwn(tools, method) && tools[method];
  const run = isTool ? tool?.run : methods[method];
  if (!run) throw new Refusal(404, `Unknown method ${method.slice(0, 100)}`);
  if (tool && !user.scopes.includes(tool.scope))
    throw new Refusal(403, 'A scope is missing.', { required: tool.scope });
  return run(user, params ?? {});
}

/** Compares two secrets in constant time. */
function isSame(a, b) {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left, right);
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > 1024 * 1024) throw new Refusal(413, 'The request is larger than 1 MB.');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new Refusal(400, 'The body is not JSON.');
  }
}

const server = createServer(async (request, response) => {
  let [status, body] = [200, { ok: true }];
  try {
    if (request.url !== '/healthz') body = await answer(request.headers, await bodyOf(request));
  } catch (error) {
    if (!(error instanceof Refusal)) console.error(error);
    status = error.status ?? 500;
    body = { error: error instanceof Refusal ? error.message : 'Something went wrong here.', ...error.more };
  }
  // A body that was not read to its end leaves the connection unusable.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
server.listen(Number(env.PORT ?? 4820), env.HOST ?? '127.0.0.1', () => {
  if (isDevelopment)
    console.log('development: tokens of any issuer on 127.0.0.1 are accepted; set OAUTH_ISSUER');
  console.log(`listening on ${server.address().port}`);
});
