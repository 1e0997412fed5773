import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';

// An example of the backend contract in one file, needing nothing but jose: copy it and put your own data in.

interface User {
  readonly sub: string;
  readonly scopes: readonly string[];
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
  const read = 'mcp:notes:read';
  const write = 'mcp:notes:write';
  const readOnly = { readOnlyHint: true };

  const notes = new Map([
    [
      'welcome',
      { id: 'welcome', owner: 'everybody', title: 'Welcome', text: 'Everybody may read this note.' },
    ],
    [
      'board-minutes',
      { id: 'board-minutes', owner: 'the board', title: 'Minutes', text: 'For the board only.' },
    ],
  ]);
  function add(owner: string, title: string, text: string) {
    const note = { id: crypto.randomUUID().slice(0, 8), owner, title, text };
    const oldest = [...notes.keys()][2];
    if (notes.size >= 2_000 && oldest !== undefined) notes.delete(oldest);
    notes.set(note.id, note);
    return note;
  }
  function notesOf({ sub }: User) {
    const own = () => [...notes.values()].filter((note) => note.owner === sub);
    if (own().length === 0) add(sub, 'Shopping', 'Tea, bread, apples');
    return own();
  }

  const tools: object[] = [
    {
      name: 'list_notes',
      scope: read,
      description: 'List your notes, without their text.',
      annotations: readOnly,
    },
    {
      name: 'read_note',
      scope: read,
      description: 'Read a note.',
      params: { id: 'string' },
      annotations: readOnly,
    },
    {
      name: 'write_note',
      scope: write,
      description: 'Write a new note of your own.',
      params: { title: 'string', text: 'string' },
    },
    {
      name: 'get_help',
      scope: read,
      description: 'How to use the notes.',
      params: { topic: 'string?' },
      annotations: readOnly,
    },
  ];
  const text = { mimeType: 'text/plain', scope: read };
  const lists = new Map<unknown, object>([
    ['list_tools', { tools }],
    [
      'list_prompts',
      { prompts: [{ name: 'summarise_notes', description: 'Summarise all your notes.', scope: read }] },
    ],
    ['list_resources', { resources: [{ uri: 'note://welcome', name: 'Welcome', ...text }] }],
    [
      'list_resource_templates',
      { resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'A note', ...text }] },
    ],
  ]);

  /** What users may call: the scope it needs, if any, and the answer. */
  const calls = new Map<unknown, readonly [scope: string | undefined, run: Handler]>([
    ['list_notes', [read, (user) => json({ notes: notesOf(user).map(({ id, title }) => ({ id, title })) })]],
    ['read_note', [read, (user, { id }) => readNote(user, id, (note) => note)]],
    ['write_note', [write, writeNote]],
    [
      'get_help',
      [
        undefined,
        () =>
          json({ overview: 'Short texts, each with one owner.', workflows: ['list_notes, then read_note'] }),
      ],
    ],
    [
      'whoami',
      [
        undefined,
        (user) =>
          json({ role: user.scopes.includes(write) ? 'author' : 'reader', notes: notesOf(user).length }),
      ],
    ],
    ['get_prompt', [read, summarise]],
    [
      'read_resource',
      [
        read,
        (user, { uri }) =>
          readNote(user, String(uri).replace(/^note:\/\//, ''), (note) => ({
            contents: [{ uri, mimeType: 'text/plain', text: note.text }],
          })),
      ],
    ],
  ]);

  function readNote(user: User, id: unknown, show: (note: { text: string }) => object): Response {
    const note = typeof id === 'string' ? notes.get(id) : undefined;
    if (note === undefined) return json({ error: 'There is no such note.' }, 404);
    // The application decides who may see what; the gateway only says who is asking.
    if (note.owner !== user.sub && note.owner !== 'everybody')
      return json({ error: 'This note belongs to somebody else.' }, 403);
    return json(show(note));
  }
  function writeNote({ sub }: User, { title, text }: Params): Response {
    if (
      typeof title !== 'string' ||
      typeof text !== 'string' ||
      title === '' ||
      title.length + text.length > 10_000
    )
      return json({ error: 'A note has a title and a text, 10,000 characters at most.' }, 422);
    return json(add(sub, title, text));
  }
  function summarise(user: User, { name }: Params): Response {
    if (name !== 'summarise_notes') return json({ error: 'There is no such prompt.' }, 404);
    const all = notesOf(user)
      .map((note) => `${note.title}: ${note.text}`)
      .join('\n');
    return json({
      messages: [{ role: 'user', content: { type: 'text', text: `Summarise these notes:\n${all}` } }],
    });
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
    addTool(definition, run) {
      tools.push(definition);
      calls.set(definition.name, [definition.scope, run]);
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
