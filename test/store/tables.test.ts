import { beforeEach, describe, expect, test } from 'vitest';
import { deleteCatalog, loadCatalogs, saveCatalog } from '#store/catalog-rows.ts';
import { addLinkClient, deleteLinkClient, findLinkClient } from '#store/link-client-rows.ts';
import { addLinkFlow, consumeLinkFlow, findLinkFlow, sweepLinkFlows } from '#store/link-flow-rows.ts';
import {
  addLinkTicket,
  consumeLinkTicket,
  findLinkTicket,
  linkTicketHash,
  sweepLinkTickets,
} from '#store/link-ticket-rows.ts';
import { addPseudonymRow, erasePseudonymRows, findPseudonymRow } from '#store/pseudonym-rows.ts';
import {
  forgetPublicNames,
  loadPublicNames,
  type PublicNameRow,
  savePublicNames,
} from '#store/public-name-rows.ts';
import { burySession, isBuried, sweepTombstones } from '#store/session-tombstones.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { deleteTickets, listTickets, reportTicket, type TicketRow } from '#store/ticket-rows.ts';

let store: Store;
beforeEach(() => {
  store = openSqliteStore(':memory:');
  return () => store.close();
});

describe('audit_pseudonyms', () => {
  test('the first row of a principal holds for every later writer', async () => {
    expect(await addPseudonymRow(store, { lookup: 'l', sealed: 'first', createdAt: 1 })).toBe('first');
    expect(await addPseudonymRow(store, { lookup: 'l', sealed: 'second', createdAt: 2 })).toBe('first');
  });

  test('an erased row is gone', async () => {
    await addPseudonymRow(store, { lookup: 'l', sealed: 's', createdAt: 1 });
    await erasePseudonymRows(store, ['l', 'unknown']);
    expect(await findPseudonymRow(store, 'l')).toBeUndefined();
  });
});

describe('catalog_snapshot', () => {
  test('keeps the last catalog of each backend', async () => {
    await saveCatalog(store, { backend: 'notes', catalog: '{"tools":[]}', etag: 'a', savedAt: 1 });
    await saveCatalog(store, { backend: 'billing', catalog: '{}', etag: undefined, savedAt: 2 });
    await saveCatalog(store, { backend: 'notes', catalog: '{"tools":[1]}', etag: undefined, savedAt: 3 });
    expect(await loadCatalogs(store)).toEqual([
      { backend: 'billing', catalog: '{}', etag: undefined, savedAt: 2 },
      { backend: 'notes', catalog: '{"tools":[1]}', etag: undefined, savedAt: 3 },
    ]);
    await deleteCatalog(store, 'notes');
    expect((await loadCatalogs(store)).map((row) => row.backend)).toEqual(['billing']);
  });
});

describe('public_names', () => {
  const name: PublicNameRow = {
    kind: 'tool',
    backend: 'notes',
    ownName: 'list',
    publicName: 'notes_list',
    since: 1,
    until: undefined,
  };

  test('a name can go out of use and come back', async () => {
    await savePublicNames(store, [name]);
    await savePublicNames(store, [{ ...name, until: 5 }]);
    expect(await loadPublicNames(store)).toEqual([{ ...name, until: 5 }]);
    await savePublicNames(store, [{ ...name, since: 9 }]);
    expect(await loadPublicNames(store)).toEqual([{ ...name, since: 9 }]);
  });

  test('only the given names are forgotten', async () => {
    const old = { ...name, publicName: 'old', until: 5 };
    await savePublicNames(store, [name, old, { ...name, kind: 'prompt' }]);
    await forgetPublicNames(store, [old]);
    expect((await loadPublicNames(store)).map((row) => [row.kind, row.publicName])).toEqual([
      ['prompt', 'notes_list'],
      ['tool', 'notes_list'],
    ]);
  });

  test('a kind that no version wrote throws', async () => {
    await store.run(
      'INSERT INTO public_names (kind, backend, own_name, public_name, since) VALUES (?, ?, ?, ?, ?)',
      'x',
      'b',
      'o',
      'p',
      1,
    );
    await expect(loadPublicNames(store)).rejects.toThrow(/kind/);
  });
});

describe('session_tombstones', () => {
  test('an ended session stays ended until it would have expired', async () => {
    await burySession(store, 'sealed-id', 100);
    await burySession(store, 'sealed-id', 50);
    expect(await isBuried(store, 'sealed-id')).toBe(true);
    expect(await isBuried(store, 'other')).toBe(false);
    expect(await sweepTombstones(store, 99)).toBe(0);
    expect(await sweepTombstones(store, 100)).toBe(1);
    expect(await isBuried(store, 'sealed-id')).toBe(false);
  });

  test('the id itself is not stored', async () => {
    await burySession(store, 'sealed-id', 100);
    expect(JSON.stringify(await store.all('SELECT * FROM session_tombstones'))).not.toContain('sealed-id');
  });
});

describe('tickets', () => {
  const ticket: TicketRow = {
    id: 't1',
    dedupeKey: 'k',
    reporter: '["iss","u1"]',
    agent: undefined,
    backend: 'notes',
    severity: 'blocking',
    title: 'No way to share a note',
    details: '',
    status: 'open',
    occurrences: 1,
    createdAt: 1_000,
    lastSeenAt: 1_000,
  };

  test('reports that say the same, even at once, make one ticket', async () => {
    const reports = ['t1', 't2', 't3'].map((id) => reportTicket(store, { ...ticket, id }, 0));
    const answers = await Promise.all(reports);
    expect(answers.map((answer) => answer.isNew).sort()).toEqual([false, false, true]);
    expect((await listTickets(store, ticket.reporter, 10)).map((row) => [row.id, row.occurrences])).toEqual([
      ['t1', 3],
    ]);
  });

  test('after the period the same report is a new ticket', async () => {
    await reportTicket(store, ticket, 0);
    const later = await reportTicket(
      store,
      { ...ticket, id: 't2', createdAt: 9_000, lastSeenAt: 9_000 },
      1_000,
    );
    expect(later.isNew).toBe(true);
  });

  test('a reporter sees only its own tickets', async () => {
    await reportTicket(store, ticket, 0);
    expect(await listTickets(store, '["iss","u2"]', 10)).toEqual([]);
  });

  test('old tickets can be deleted', async () => {
    await reportTicket(store, ticket, 0);
    expect(await deleteTickets(store, 1_000)).toBe(0);
    expect(await deleteTickets(store, 1_001)).toBe(1);
  });
});

describe('link_flows', () => {
  const flow = { id: 'f1', sealed: 's', expiresAt: 100 };

  test('a flow is consumed once, however many ask at once', async () => {
    await addLinkFlow(store, flow);
    expect(await findLinkFlow(store, 'f1', 99)).toEqual({ sealed: 's', isConsumed: false });
    const all = await Promise.all([1, 2, 3].map(() => consumeLinkFlow(store, 'f1', 99)));
    expect(all.filter((sealed) => sealed === 's')).toHaveLength(1);
    expect(await findLinkFlow(store, 'f1', 99)).toEqual({ sealed: '', isConsumed: true });
  });

  test('an expired flow is as one that never was', async () => {
    await addLinkFlow(store, flow);
    expect(await findLinkFlow(store, 'f1', 100)).toBeUndefined();
    expect(await consumeLinkFlow(store, 'f1', 100)).toBeUndefined();
    expect(await sweepLinkFlows(store, 99)).toBe(0);
    expect(await sweepLinkFlows(store, 100)).toBe(1);
  });
});

describe('link_tickets', () => {
  const row = { ticket: 'the-ticket', sealed: 's', expiresAt: 100 };

  test('a ticket is consumed once, and is stored as a hash', async () => {
    await addLinkTicket(store, row);
    const stored = JSON.stringify(await store.all('SELECT * FROM link_tickets'));
    expect(stored).not.toContain('the-ticket');
    expect(stored).toContain(linkTicketHash('the-ticket'));
    expect(await findLinkTicket(store, 'the-ticket', 99)).toEqual({ sealed: 's', isConsumed: false });
    expect(await consumeLinkTicket(store, 'the-ticket', 99)).toBe(true);
    expect(await consumeLinkTicket(store, 'the-ticket', 99)).toBe(false);
    expect(await findLinkTicket(store, 'the-ticket', 99)).toEqual({ sealed: 's', isConsumed: true });
  });

  test('an expired ticket is as one that never was', async () => {
    await addLinkTicket(store, row);
    expect(await findLinkTicket(store, 'the-ticket', 100)).toBeUndefined();
    expect(await consumeLinkTicket(store, 'the-ticket', 100)).toBe(false);
    expect(await sweepLinkTickets(store, 100)).toBe(1);
  });
});

describe('link_clients', () => {
  const key = {
    server: 'linear',
    issuer: 'https://linear.example',
    redirectUri: 'https://gw/link/linear/callback',
  };

  test('the first registration holds for every later writer, for that server, issuer and redirect URI', async () => {
    expect(await addLinkClient(store, { ...key, sealed: 'a', createdAt: 1 })).toBe('a');
    expect(await addLinkClient(store, { ...key, sealed: 'b', createdAt: 2 })).toBe('a');
    expect(await findLinkClient(store, { ...key, server: 'github' })).toBeUndefined();
    expect(await findLinkClient(store, { ...key, issuer: 'https://other.example' })).toBeUndefined();
    expect(await findLinkClient(store, { ...key, redirectUri: 'https://gw2' })).toBeUndefined();
  });

  test('a registration that another one replaced meanwhile is not deleted', async () => {
    await addLinkClient(store, { ...key, sealed: 'b', createdAt: 1 });
    await deleteLinkClient(store, key, 'a');
    expect(await findLinkClient(store, key)).toBe('b');
    await deleteLinkClient(store, key, 'b');
    expect(await findLinkClient(store, key)).toBeUndefined();
  });
});
