import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';

// An example of the backend contract in one file, needing nothing but jose: copy it and put your own data in.

interface User {
  readonly sub: string;
  readonly scopes: readonly string[];
}
interface Note {
  readonly id: string;
  readonly owner: string;
  readonly title: string;
  readonly text: string;
}
type Params = Readonly<Record<string, unknown>>;
type Handler = (user: User, params: Params) => Response;

export interface NotesBackend {
  fetch(request: Request): Promise<Response>;
  /** Adds a tool while running: the next `list_tools` shows it. `definition` is a tool as the contract lists it. */
  addTool(
    definition: { readonly name: string; readonly scope: string; readonly [key: string]: unknown },
    run: Handler,
  ): void;
}

/** Notes with an owner each: everybody reads and writes their own, nobody another's. */
export function createNotesBackend(options: {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  readonly technicalToken: string;
}): NotesBackend {
  const keys = createRemoteJWKSet(new URL(options.jwksUri));
  const tools: object[] = [];
  const calls = new Map<unknown, { readonly scope: string | undefined; readonly run: Handler }>();
  const addTool: NotesBackend['addTool'] = (definition, run) => {
    tools.push(definition);
    calls.set(definition.name, { scope: definition.scope, run });
  };

  const [read, write] = ['mcp:notes:read', 'mcp:notes:write'];
  const annotations = { readOnlyHint: true };
  addTool({ name: 'list_notes', scope: read, description: 'List your notes.', annotations }, (user) =>
    json({ notes: notesOf(user).map(({ id, title }) => ({ id, title })) }),
  );
  const byId = { annotations, params: { id: 'string' } };
  addTool({ name: 'read_note', scope: read, description: 'Read a note.', ...byId }, (user, { id }) =>
    readNote(user, id, (note) => note),
  );
  const fields = { params: { title: 'string', text: 'string' } };
  addTool(
    { name: 'write_note', scope: write, description: 'Write a note of your own.', ...fields },
    writeNote,
  );
  addTool({ name: 'get_help', scope: read, description: 'How to use the notes.', annotations }, () =>
    json({ overview: 'Short texts, each with one owner.', workflows: ['list_notes, then read_note'] }),
  );
  calls.set('whoami', {
    scope: undefined,
    run: (user) =>
      json({ role: user.scopes.includes(write) ? 'author' : 'reader', notes: notesOf(user).length }),
  });
  calls.set('get_prompt', { scope: read, run: summarise });
  calls.set('read_resource', {
    scope: read,
    run: (user, { uri }) =>
      readNote(user, String(uri).replace(/^note:\/\//, ''), ({ text }) => ({
        contents: [{ uri, ...plain, text }],
      })),
  });

  const plain = { mimeType: 'text/plain' };
  const lists = new Map<unknown, object>()
    .set('list_tools', { tools })
    .set('list_prompts', {
      prompts: [{ name: 'summarise_notes', description: 'Summarise your notes.', scope: read }],
    })
    .set('list_resources', { resources: [{ uri: 'note://welcome', name: 'Welcome', scope: read, ...plain }] })
    .set('list_resource_templates', {
      resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'A note', scope: read, ...plain }],
    });

  const notes = new Map<string, Note>();
  add({ id: 'welcome', owner: 'everybody', title: 'Welcome', text: 'Everybody may read this note.' });
  add({ id: 'board-minutes', owner: 'the board', title: 'Minutes', text: 'For the board only.' });
  function add(note: Note): Note {
    const oldest = [...notes.keys()][2];
    if (notes.size >= 2_000 && oldest !== undefined) notes.delete(oldest);
    notes.set(note.id, note);
    return note;
  }
  function addNew(owner: string, title: string, text: string): Note {
    return add({ id: crypto.randomUUID().slice(0, 8), owner, title, text });
  }
  /** Everybody starts with one note. */
  function notesOf({ sub }: User): readonly Note[] {
    const own = [...notes.values()].filter((note) => note.owner === sub);
    return own.length > 0 ? own : [addNew(sub, 'Shopping', 'Tea, bread, apples')];
  }
  function readNote(user: User, id: unknown, show: (note: Note) => object): Response {
    const note = typeof id === 'string' ? notes.get(id) : undefined;
    if (note === undefined) return json({ error: 'There is no such note.' }, 404);
    // The application decides who may see what; the gateway only says who is asking.
    if (note.owner === user.sub || note.owner === 'everybody') return json(show(note));
    return json({ error: 'This note belongs to somebody else.' }, 403);
  }
  function writeNote({ sub }: User, { title, text }: Params): Response {
    const isGiven = typeof title === 'string' && typeof text === 'string' && title !== '';
    if (isGiven && title.length + text.length <= 10_000) return json(addNew(sub, title, text));
    return json({ error: 'A note has a title and a text, 10,000 characters at most.' }, 422);
  }
  function summarise(user: User, { name }: Params): Response {
    if (name !== 'summarise_notes') return json({ error: 'There is no such prompt.' }, 404);
    const all = notesOf(user).map((note) => `${note.title}: ${note.text}`);
    const text = `Summarise these notes:\n${all.join('\n')}`;
    return json({ messages: [{ role: 'user', content: { type: 'text', text } }] });
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
    addTool,
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
