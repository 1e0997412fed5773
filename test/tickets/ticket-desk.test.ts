import { beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import type { Log, LogFields } from '#kernel/log.ts';
import { type Principal, principalKey } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { createOutbound, type Outbound } from '#outbound/outbound.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { createTicketDesk, type TicketDesk } from '#tickets/ticket-desk.ts';
import { backendId } from '../catalog/samples.ts';

const HOUR_MS = 3_600_000;

function principal(subject: string): Principal {
  const issuer = 'https://auth.example.com';
  return {
    kind: 'user',
    issuer,
    subject,
    key: principalKey(issuer, subject),
    clientId: undefined,
    tokenScopes: [],
    scopes: new Set(),
    scopeKey: '',
    plan: undefined,
    email: 'ada@example.com',
    role: undefined,
    pool: undefined,
    tokenId: undefined,
    sessionId: undefined,
    grantId: undefined,
    audience: [],
    issuedAt: 0,
    expiresAt: 0,
    token: new Secret('t'),
    tokenKind: 'jwt',
  };
}

const ada = principal('ada');
const bob = principal('bob');

let now: number;
let store: Store;
let outbound: Outbound;
let desk: TicketDesk;
let received: JsonObject[];
let answer: () => Response | Promise<Response>;
let lines: { event: string; fields: LogFields | undefined }[];

beforeEach(() => {
  now = 1_700_000_000_000;
  received = [];
  lines = [];
  answer = () => new Response('ok');
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      received.push(await request.json());
      return answer();
    },
  });
  const note = (event: string, fields?: LogFields) => {
    lines.push({ event, fields });
  };
  const log: Log = { debug() {}, info() {}, warn: note, error: note };
  store = openSqliteStore(':memory:');
  outbound = createOutbound();
  desk = createTicketDesk({
    store,
    clock: { now: () => now, monotonic: () => now },
    log,
    outbound,
    webhookUrl: () => `http://127.0.0.1:${server.port}/hook?secret=s3cret`,
    ownsTickets: (id) => id === 'crm',
  });
  return async () => {
    desk.close();
    await outbound.close();
    await store.close();
    await server.stop(true);
  };
});

async function report(args: JsonObject, who = ada, agent: string | undefined = 'Claude') {
  const made = await desk.report(who, agent, args);
  if (!made.ok) throw new Error(made.error);
  return made.value;
}
async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !isTrue(); turn++) await Bun.sleep(10);
  expect(isTrue()).toBe(true);
}

describe('a reported missing capability', () => {
  test('becomes a ticket that says nothing of the reporter', async () => {
    const made = await report({ title: ' Export to PDF ', details: 'For the board', backend: 'docs' });
    expect(made).toMatchObject({
      isNew: true,
      ticket: {
        title: 'Export to PDF',
        details: 'For the board',
        backend: 'docs',
        severity: 'normal',
        status: 'open',
        occurrences: 1,
        createdAt: '2023-11-14T22:13:20.000Z',
      },
    });
    expect(JSON.stringify(made)).not.toMatch(/ada|example\.com|Claude/);
  });

  test.each(['export to pdf', 'Export  to PDF!', 'ＥＸＰＯＲＴ to-pdf'])(
    'is counted, not repeated, when it comes again within 24 hours as %j',
    async (title) => {
      await report({ title: 'Export to PDF' });
      now += 24 * HOUR_MS - 1;
      expect(await report({ title })).toMatchObject({ isNew: false, ticket: { occurrences: 2 } });
      expect(await desk.list(ada)).toHaveLength(1);
    },
  );

  test('is a new ticket after 24 hours, from another agent, for another backend, or when it begins to block', async () => {
    await report({ title: 'Export' });
    expect(await report({ title: 'Export' }, ada, 'Cursor')).toMatchObject({ isNew: true });
    expect(await report({ title: 'Export', backend: 'crm' })).toMatchObject({ isNew: true });
    expect(await report({ title: 'Export', severity: 'blocking' })).toMatchObject({ isNew: true });
    now += 24 * HOUR_MS;
    expect(await report({ title: 'Export' })).toMatchObject({ isNew: true });
  });

  test('of one user is never merged with, nor shown to, another', async () => {
    await report({ title: 'Export' });
    expect(await report({ title: 'Export' }, bob)).toMatchObject({ isNew: true, ticket: { occurrences: 1 } });
    expect(await desk.list(bob)).toHaveLength(1);
    expect(await desk.list(principal('eve'))).toEqual([]);
  });

  test('simultaneous ones make one ticket', async () => {
    await Promise.all(Array.from({ length: 20 }, () => report({ title: 'Export' })));
    expect(await desk.list(ada)).toMatchObject([{ occurrences: 20 }]);
  });

  test.each<[JsonObject, RegExp]>([
    [{}, /title/],
    [{ title: 7 }, /title/],
    [{ title: ' ?! ' }, /title/],
    [{ title: 'x'.repeat(201) }, /title/],
    [{ title: 'x', details: 'x'.repeat(4_001) }, /details/],
    [{ title: 'x', details: {} }, /details/],
    [{ title: 'x', severity: 'urgent' }, /severity/],
    [{ title: 'x', backend: 'x'.repeat(65) }, /backend/],
    [{ title: 'x', backend: 1 }, /backend/],
  ])('is refused with the reason: %j', async (args, reason) => {
    const made = await desk.report(ada, undefined, args);
    expect(made.ok ? '' : made.error).toMatch(reason);
    expect(await desk.list(ada)).toEqual([]);
  });

  test('is one of at most 50 a day for each user; repeating one of them is still counted', async () => {
    for (let n = 0; n < 50; n++) await report({ title: `Thing ${n}` });
    expect(await desk.report(ada, 'Claude', { title: 'One more' })).toMatchObject({ ok: false });
    expect(await report({ title: 'thing 7' })).toMatchObject({ isNew: false });
    expect(await report({ title: 'One more' }, bob)).toMatchObject({ isNew: true });
    now += 24 * HOUR_MS;
    expect(await report({ title: 'One more' })).toMatchObject({ isNew: true });
  });

  test('that nobody repeated for a year is deleted', async () => {
    await report({ title: 'Old' });
    now += 366 * 24 * HOUR_MS;
    await report({ title: 'New' }, bob);
    expect(await desk.list(ada)).toEqual([]);
  });
});

describe('the webhook', () => {
  test('is told once of a ticket that blocks, without who reported it', async () => {
    await report({ title: 'Cannot pay', severity: 'blocking' });
    await report({ title: 'Cannot pay', severity: 'blocking' });
    await report({ title: 'Nice to have', severity: 'low' });
    await until(() => received.length > 0);
    await Bun.sleep(50);
    expect(received).toMatchObject([{ event: 'ticket.blocking', title: 'Cannot pay', agent: 'Claude' }]);
    expect(JSON.stringify(received)).not.toMatch(/ada|example\.com/);
  });

  test.each([
    ['refuses', () => new Response('no', { status: 500 })],
    ['redirects', () => Response.redirect('http://127.0.0.1:1/', 302)],
  ])('that %s costs a line in the log and nothing else', async (_how, answers) => {
    answer = answers;
    expect(await report({ title: 'x', severity: 'blocking' })).toMatchObject({ isNew: true });
    await until(() => lines.length > 0);
    expect(lines[0]?.event).toBe('ticket.webhook_failed');
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  test('that hangs holds up no report, and no more than eight wait for it', async () => {
    const release: (() => void)[] = [];
    answer = () => new Promise<Response>((resolve) => release.push(() => resolve(new Response('ok'))));
    for (let n = 0; n < 10; n++) await report({ title: `Thing ${n}`, severity: 'blocking' });
    await until(() => received.length === 8);
    expect(lines.filter(({ event }) => event === 'ticket.webhook_dropped')).toHaveLength(2);
    for (const go of release) go();
  });

  test('is left alone once the desk is closed', async () => {
    desk.close();
    await report({ title: 'x', severity: 'blocking' });
    await Bun.sleep(50);
    expect(received).toEqual([]);
  });
});

test('says which backends keep their own tickets', () => {
  expect([backendId('crm'), backendId('docs')].map(desk.ownsTickets)).toEqual([true, false]);
});
