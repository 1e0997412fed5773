import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBillingBackend } from '#demo/billing-backend.ts';
import { createNotesBackend, type NotesBackend } from '#demo/notes-backend.ts';

const issuer = 'http://auth.test';
const audience = 'http://gateway.test/mcp';
const free = 'mcp:notes:read mcp:notes:write mcp:billing:read';

let server: Bun.Server<undefined>;
let sign: (claims?: Record<string, unknown>) => Promise<string>;
beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] };
  server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json(keys) });
  sign = (claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const body = { iss: issuer, aud: audience, sub: 'ada', exp: now + 60, scope: free, ...claims };
    return new SignJWT(body).setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(privateKey);
  };
});
afterAll(() => server.stop(true));

const options = () => ({ issuer, jwksUri: server.url.href, audience, technicalToken: 'technical' });
const ask = async (
  backend: { fetch(request: Request): Promise<Response> },
  token: string,
  method: string,
  params = {},
) => {
  const headers = { authorization: `Bearer ${token}` };
  const body = JSON.stringify({ method, params });
  const answer = await backend.fetch(
    new Request('http://b.test/api/cortex/backend', { method: 'POST', headers, body }),
  );
  return { status: answer.status, body: await answer.json() };
};

describe.each([
  ['notes', () => createNotesBackend(options()), 'list_notes', 'mcp:notes:read'],
  ['billing', () => createBillingBackend(options()), 'get_plan', 'mcp:billing:read'],
])('the %s backend', (_name, create, tool, scope) => {
  const backend = create;

  it('lists its catalog for the technical token, each tool with a scope', async () => {
    const { status, body } = await ask(backend(), 'technical', 'list_tools');
    expect(status).toBe(200);
    expect(body.tools.length).toBeGreaterThan(3);
    for (const listed of body.tools)
      expect(listed).toMatchObject({ name: expect.any(String), scope: expect.any(String) });
  });

  it('answers 403 to the technical token on every user method', async () => {
    for (const method of [tool, 'whoami', 'get_help', 'get_prompt', 'read_resource', 'nothing'])
      expect((await ask(backend(), 'technical', method)).status, method).toBe(403);
  });

  it('answers an optional list with the list or "unknown method", never with 403', async () => {
    for (const method of ['list_prompts', 'list_resources', 'list_resource_templates', 'get_snapshot']) {
      const { status, body } = await ask(backend(), 'technical', method);
      if (status !== 200)
        expect({ status, body }, method).toEqual({ status: 400, body: { error: 'unknown method' } });
    }
  });

  it('answers 403 to a user on the catalog', async () => {
    expect((await ask(backend(), await sign(), 'list_tools')).status).toBe(403);
  });

  it('answers 401 to every token but a good one', async () => {
    const past = Math.floor(Date.now() / 1000) - 60;
    const good = await sign();
    const bad = [
      '',
      'Technical',
      await sign({ exp: past }),
      await sign({ exp: undefined }),
      await sign({ sub: undefined }),
      await sign({ iss: 'http://evil.test' }),
      await sign({ aud: 'http://other.test' }),
      `${good.slice(0, -6)}AAAAAA`,
      `${btoa('{"alg":"none"}').replaceAll('=', '')}.${good.split('.')[1]}.`,
    ];
    for (const token of bad) expect((await ask(backend(), token, tool)).status, token).toBe(401);
    expect((await ask(backend(), good, tool)).status).toBe(200);
  });

  it('names the scope that is missing', async () => {
    expect(await ask(backend(), await sign({ scope: 'other' }), tool)).toEqual({
      status: 403,
      body: { error: 'A scope is missing.', required: scope },
    });
    expect((await ask(backend(), await sign({ scope: undefined }), tool)).status).toBe(403);
  });

  it('answers help and whoami to a user, and an error to an unknown method or body', async () => {
    const token = await sign();
    expect((await ask(backend(), token, 'get_help')).body.overview).toBeTypeOf('string');
    expect((await ask(backend(), token, 'whoami')).body.role).toBeTypeOf('string');
    expect(await ask(backend(), token, 'constructor')).toEqual({
      status: 400,
      body: { error: 'unknown method' },
    });
    const headers = { authorization: `Bearer ${token}` };
    for (const body of ['', '[]', 'null', '{"method":7}'])
      expect(
        (await backend().fetch(new Request('http://b.test/', { method: 'POST', headers, body }))).status,
      ).toBe(400);
  });
});

describe('notes', () => {
  let notes: NotesBackend;
  beforeEach(() => {
    notes = createNotesBackend(options());
  });

  it('belong to who wrote them: another user gets 403, an unknown id 404', async () => {
    const [ada, bob] = [await sign(), await sign({ sub: 'bob' })];
    const { body: note } = await ask(notes, ada, 'write_note', { title: 'Plan', text: 'Buy tea' });
    expect((await ask(notes, ada, 'read_note', { id: note.id })).body).toMatchObject({
      title: 'Plan',
      text: 'Buy tea',
    });
    const refused = await ask(notes, bob, 'read_note', { id: note.id });
    expect(refused).toEqual({ status: 403, body: { error: 'This note belongs to somebody else.' } });
    expect((await ask(notes, ada, 'read_note', { id: 'board-minutes' })).status).toBe(403);
    expect((await ask(notes, ada, 'read_note', { id: 'none' })).status).toBe(404);
    expect((await ask(notes, ada, 'read_note', {})).status).toBe(404);
    expect(JSON.stringify((await ask(notes, bob, 'list_notes')).body)).not.toContain(note.id);
  });

  it('start with one note for each new user', async () => {
    const listed = await ask(notes, await sign(), 'list_notes');
    expect(listed.body.notes).toHaveLength(1);
    expect((await ask(notes, await sign(), 'list_notes')).body).toEqual(listed.body);
  });

  it('need the write scope to be written, a title and a text', async () => {
    const reader = await sign({ scope: 'mcp:notes:read' });
    expect((await ask(notes, reader, 'write_note', { title: 'a', text: 'b' })).body.required).toBe(
      'mcp:notes:write',
    );
    for (const params of [
      {},
      { title: 'a' },
      { title: '', text: 'b' },
      { title: 'a', text: 'x'.repeat(10_001) },
    ])
      expect((await ask(notes, await sign(), 'write_note', params)).status).toBe(422);
  });

  it('are resources too, with the same owner', async () => {
    const [ada, bob] = [await sign(), await sign({ sub: 'bob' })];
    const { body: note } = await ask(notes, ada, 'write_note', { title: 'Plan', text: 'Buy tea' });
    const uri = `note://${note.id}`;
    expect((await ask(notes, ada, 'read_resource', { uri })).body).toEqual({
      contents: [{ uri, mimeType: 'text/plain', text: 'Buy tea' }],
    });
    expect((await ask(notes, bob, 'read_resource', { uri })).status).toBe(403);
    expect((await ask(notes, bob, 'read_resource', { uri: 'note://welcome' })).status).toBe(200);
    const lists = ['list_resources', 'list_resource_templates', 'list_prompts'];
    const catalog = await Promise.all(
      lists.map(async (method) => (await ask(notes, 'technical', method)).body),
    );
    expect(catalog).toMatchObject([
      { resources: [{ uri: 'note://welcome' }] },
      { resourceTemplates: [{ uriTemplate: 'note://{id}' }] },
      { prompts: [{ name: 'summarise_notes' }] },
    ]);
  });

  it('are summarised by a prompt of the own notes', async () => {
    const token = await sign();
    await ask(notes, token, 'write_note', { title: 'Plan', text: 'Buy tea' });
    const { body } = await ask(notes, token, 'get_prompt', { name: 'summarise_notes' });
    expect(body.messages[0].content.text).toContain('Plan: Buy tea');
    expect((await ask(notes, token, 'get_prompt', { name: 'other' })).status).toBe(404);
  });

  it('gain a tool while running', async () => {
    const token = await sign();
    expect((await ask(notes, token, 'count_notes')).status).toBe(400);
    const definition = { name: 'count_notes', scope: 'mcp:notes:read', description: 'Count.' };
    notes.addTool(definition, (user) => Response.json({ owner: user.sub }));
    expect((await ask(notes, 'technical', 'list_tools')).body.tools).toContainEqual(definition);
    expect((await ask(notes, token, 'count_notes')).body).toEqual({ owner: 'ada' });
    expect((await ask(notes, await sign({ scope: 'x' }), 'count_notes')).body.required).toBe(
      'mcp:notes:read',
    );
  });

  it('forget the oldest instead of growing', async () => {
    const token = await sign();
    const { body: first } = await ask(notes, token, 'write_note', { title: 'first', text: 'x' });
    for (let count = 0; count < 2_000; count += 1)
      await ask(notes, token, 'write_note', { title: 't', text: 'x' });
    expect((await ask(notes, token, 'read_note', { id: first.id })).status).toBe(404);
    expect((await ask(notes, token, 'read_note', { id: 'welcome' })).status).toBe(200);
  });
});

describe('billing', () => {
  it('exports for the pro plan only', async () => {
    const billing = createBillingBackend(options());
    const [plain, pro] = [await sign(), await sign({ scope: `${free} mcp:billing:export` })];
    expect((await ask(billing, plain, 'export_invoices')).body.required).toBe('mcp:billing:export');
    const { body } = await ask(billing, pro, 'export_invoices', { year: 2025 });
    expect(body.filename).toBe('invoices-2025.csv');
    expect(body.csv.split('\n')).toHaveLength(13);
    expect((await ask(billing, plain, 'get_plan')).body.plan).toBe('free');
    expect((await ask(billing, pro, 'get_plan')).body.plan).toBe('pro');
  });

  it('shows everybody their own invoices, always the same', async () => {
    const billing = createBillingBackend(options());
    const ada = await ask(billing, await sign(), 'list_invoices', { year: 2025 });
    expect(ada.body.invoices).toHaveLength(12);
    expect((await ask(billing, await sign(), 'list_invoices', { year: 2025 })).body).toEqual(ada.body);
    expect(
      (await ask(billing, await sign({ sub: 'bob' }), 'list_invoices', { year: 2025 })).body,
    ).not.toEqual(ada.body);
  });

  it('refuses a year that is none', async () => {
    const billing = createBillingBackend(options());
    for (const year of ['2025', 1999, 2025.5])
      expect((await ask(billing, await sign(), 'list_invoices', { year })).status).toBe(422);
  });
});
