import { describe, expect, test } from 'vitest';
import { ada, bob, startLinking } from './linking/linking-kit.ts';

describe('an invitation to link', () => {
  test('says whose it is and for what, as often as it is looked at, and is used up by a POST alone', async () => {
    const { tickets } = await startLinking({});
    const ticket = await tickets.issue(ada, 'notes');
    for (let look = 0; look < 3; look += 1) {
      expect(await tickets.open(ticket)).toEqual({ owner: ada, server: 'notes' });
    }
    expect(await tickets.consume(ticket, ada, 'notes')).toBe(true);
    expect(await tickets.open(ticket)).toBeUndefined();
    expect(await tickets.consume(ticket, ada, 'notes')).toBe(false);
  });

  test('is used up once, even by two at the same time', async () => {
    const { tickets } = await startLinking({});
    const ticket = await tickets.issue(ada, 'notes');
    const taken = await Promise.all([1, 2, 3].map(() => tickets.consume(ticket, ada, 'notes')));
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  test('is good for its owner and its server alone: Bob does not even use it up', async () => {
    const { tickets } = await startLinking({});
    const ticket = await tickets.issue(ada, 'notes');
    expect(await tickets.consume(ticket, bob, 'notes')).toBe(false);
    expect(await tickets.consume(ticket, ada, 'other')).toBe(false);
    expect(await tickets.consume(ticket, ada, 'notes')).toBe(true);
  });

  test('is good for ten minutes', async () => {
    const { tickets, clock } = await startLinking({});
    const ticket = await tickets.issue(ada, 'notes');
    clock.advance(10 * 60_000 - 1_000);
    expect(await tickets.open(ticket)).toBeDefined();
    clock.advance(1_000);
    expect(await tickets.open(ticket)).toBeUndefined();
    expect(await tickets.consume(ticket, ada, 'notes')).toBe(false);
  });

  test('lies in the database neither itself nor with a name', async () => {
    const { tickets, store } = await startLinking({});
    const ticket = await tickets.issue(ada, 'notes');
    const rows = JSON.stringify(await store.all('SELECT * FROM link_tickets'));
    expect(rows).not.toContain(ticket);
    expect(rows).not.toContain(ada.subject);
  });

  test.each(['', 'x', '../../etc/passwd', 'é'.repeat(43), 'a'.repeat(43)])('%j is none', async (ticket) => {
    const { tickets } = await startLinking({});
    expect(await tickets.open(ticket)).toBeUndefined();
    expect(await tickets.consume(ticket, ada, 'notes')).toBe(false);
  });
});
