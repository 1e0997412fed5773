import { afterEach, describe, expect, test } from 'vitest';
import type { Backend, BackendFailure, Discovery } from '#backends/backend.ts';
import type { CatalogBackend } from '#catalog/backend-entry.ts';
import { type Catalog, createCatalog } from '#catalog/catalog.ts';
import type { CatalogStore, SavedBackend } from '#catalog/catalog-store.ts';
import { type NameRecord, nameKey } from '#catalog/naming.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Log, LogFields } from '#kernel/log.ts';
import type { Result } from '#kernel/result.ts';
import { fakeTime } from './fake-time.ts';
import { backendId, catalogOf, failed, listed, listing, resource, rules, tool } from './samples.ts';

type Answer = Result<Discovery, BackendFailure>;

/** A backend whose answers can be changed, and which counts how often it was asked. */
function scripted(id: string, first: () => Answer | Promise<Answer>) {
  const script = { answer: first, polls: 0, etags: Array.from<string | undefined>([]) };
  const backend = listing(id, async (etag) => {
    script.polls++;
    script.etags.push(etag);
    return script.answer();
  });
  return { backend, script };
}

function memoryStore() {
  const backends = new Map<string, SavedBackend>();
  const names = new Map<string, NameRecord>();
  const counts = { saves: 0 };
  const store: CatalogStore = {
    load: () => Promise.resolve({ backends: [...backends.values()], names: [...names.values()] }),
    async saveBackend(saved) {
      counts.saves++;
      backends.set(saved.backend, saved);
    },
    async removeBackend(backend) {
      backends.delete(backend);
    },
    async saveNames(records) {
      for (const record of records) names.set(nameKey(record.kind, record.publicName), record);
    },
    async removeNames(records) {
      for (const record of records) names.delete(nameKey(record.kind, record.publicName));
    },
  };
  return { store, backends, names, counts };
}

function recorder() {
  const lines: { event: string; fields: LogFields | undefined }[] = [];
  const note = (event: string, fields?: LogFields) => {
    lines.push({ event, fields });
  };
  const log: Log = { debug() {}, info: note, warn: note, error: note };
  return { log, events: () => lines.map(({ event }) => event), lines };
}

const open: Catalog[] = [];
afterEach(async () => {
  for (const catalog of open.splice(0)) await catalog.close();
});

const withRules = (backend: Backend, prefix: string = backend.id): CatalogBackend => ({
  backend,
  rules: { prefix, include: [], exclude: [], hasHelp: false, sharesSchemes: false },
});

function setUp(backends: readonly Backend[], store?: CatalogStore) {
  const time = fakeTime();
  const { log, events, lines } = recorder();
  const catalog = createCatalog({
    backends: backends.map((backend) => withRules(backend)),
    rules,
    limits: { pollIntervalMs: 60_000, pollTimeoutMs: 10_000, staleGraceMs: 900_000 },
    clock: time.clock,
    schedule: time.schedule,
    random: () => 0.5,
    log,
    store,
  });
  open.push(catalog);
  const changes: [before: Snapshot, after: Snapshot][] = [];
  catalog.onChange((before, after) => changes.push([before, after]));
  return { catalog, time, events, lines, changes };
}

const names = (catalog: Catalog) => [...catalog.snapshot().tools.keys()];
const status = (catalog: Catalog, id: string) => catalog.snapshot().backends.get(backendId(id))?.status;
const hang = () => new Promise<Answer>(() => {});
const lists = (...tools: string[]) => listed(catalogOf({ tools: tools.map((name) => tool(name)) }));

describe('polling', () => {
  test('starts at once, goes on at the interval, and makes a snapshot of what it finds', async () => {
    const { backend, script } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend]);
    await catalog.start();
    await time.advance(10);
    expect(names(catalog)).toEqual(['a_x']);
    expect(status(catalog, 'a')).toBe('fresh');
    script.answer = () => lists('x', 'y');
    await time.advance(59_000);
    expect(names(catalog)).toEqual(['a_x']);
    await time.advance(1_100);
    expect(names(catalog)).toEqual(['a_x', 'a_y']);
    expect(script.polls).toBe(2);
  });

  test('that changes nothing makes no new generation and tells nobody', async () => {
    const { backend } = scripted('a', () => lists('x', 'y'));
    const { catalog, time, changes } = setUp([backend]);
    await catalog.start();
    await time.advance(10);
    const { generation } = catalog.snapshot();
    const told = changes.length;
    await time.advance(300_000);
    expect(catalog.snapshot().generation).toBe(generation);
    expect(changes).toHaveLength(told);
    expect(catalog.states().get(backendId('a'))?.lastGoodAt).toBeGreaterThan(1_200_000);
  });

  test('that finds nothing new does not even assemble', async () => {
    const { backend } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend]);
    await catalog.start();
    await time.advance(10);
    expect(time.pending()).toBe(1);
    catalog.requestPoll(backendId('a'));
    await time.advance(1_000);
    expect(time.pending()).toBe(1);
  });

  test('that only finds another order changes nothing', async () => {
    const { backend, script } = scripted('a', () => lists('x', 'y'));
    const { catalog, changes } = setUp([backend]);
    await catalog.poll();
    script.answer = () => lists('y', 'x');
    await catalog.poll();
    expect(changes).toHaveLength(1);
  });

  test('is conditional: the last ETag is sent, and unchanged keeps everything', async () => {
    const { backend, script } = scripted('a', () => listed(catalogOf({ tools: [tool('x')] }), 'v1'));
    const { catalog } = setUp([backend]);
    await catalog.poll();
    script.answer = () => ({ ok: true, value: { kind: 'unchanged' } });
    await catalog.poll();
    expect(script.etags).toEqual([undefined, 'v1']);
    expect(names(catalog)).toEqual(['a_x']);
    expect(status(catalog, 'a')).toBe('fresh');
  });

  test('takes "unchanged" from a backend that never listed anything for a failure', async () => {
    const { backend } = scripted('a', () => ({ ok: true, value: { kind: 'unchanged' } }));
    const { catalog } = setUp([backend]);
    await catalog.poll();
    expect(status(catalog, 'a')).toBe('gone');
  });

  test('of a backend that hangs or throws delays no other (R22)', async () => {
    const hung = scripted('hung', hang);
    const thrown = scripted('thrown', () => {
      throw new Error('bug');
    });
    const good = scripted('good', () => lists('x'));
    const { catalog, time, events } = setUp([hung.backend, thrown.backend, good.backend]);
    await catalog.start();
    await time.advance(10);
    expect(names(catalog)).toEqual(['good_x']);
    await time.advance(10_000);
    expect(catalog.states().get(backendId('hung'))?.lastError).toBe('timeout');
    expect(events()).toContain('catalog.poll_threw');
  });

  test('has a deadline, also for a backend that ignores its signal', async () => {
    const hung = scripted('a', hang);
    const { catalog, time } = setUp([hung.backend]);
    let isDone = false;
    const polled = catalog.poll().then(() => {
      isDone = true;
    });
    await time.advance(9_999);
    expect(isDone).toBe(false);
    await time.advance(1);
    await polled;
    expect(isDone).toBe(true);
  });

  test('of a failing backend comes again after 2, 4, 8 seconds, up to the interval, and soon finds it well', async () => {
    const { backend, script } = scripted('a', () => failed('unreachable'));
    const { catalog, time, events } = setUp([backend]);
    await catalog.start();
    const at: number[] = [];
    for (let second = 0; second < 200; second++) {
      const before = script.polls;
      await time.advance(1_000);
      if (script.polls > before) at.push(second + 1);
    }
    expect(at).toEqual([2, 6, 14, 30, 62, 122, 182]);
    script.answer = () => lists('x');
    await time.advance(60_000);
    expect(names(catalog)).toEqual(['a_x']);
    expect(events().filter((event) => event === 'catalog.poll_failed')).toHaveLength(1);
    expect(events()).toContain('catalog.poll_recovered');
  });

  test('while one is under way, one more follows it for all who ask', async () => {
    const waiting: (() => void)[] = [];
    const { backend, script } = scripted('a', () => {
      const answer = script.polls === 1 ? lists('x') : lists('y');
      return new Promise<Answer>((resolve) => waiting.push(() => resolve(answer)));
    });
    const { catalog } = setUp([backend]);
    const first = catalog.poll();
    const asked = [catalog.poll(), catalog.poll()];
    waiting.shift()?.();
    await first;
    expect(names(catalog)).toEqual(['a_x']);
    waiting.shift()?.();
    await Promise.all(asked);
    expect(names(catalog)).toEqual(['a_y']);
    expect(script.polls).toBe(2);
  });

  test('can be of chosen backends only', async () => {
    const a = scripted('a', () => lists('x'));
    const b = scripted('b', () => lists('x'));
    const { catalog } = setUp([a.backend, b.backend]);
    await catalog.poll([backendId('b')]);
    expect([a.script.polls, b.script.polls]).toEqual([0, 1]);
  });

  test('many ends at once make one snapshot', async () => {
    const backends = ['a', 'b', 'c', 'd'].map((id) => scripted(id, () => lists('x')).backend);
    const { catalog, time, changes } = setUp(backends);
    await catalog.start();
    await time.advance(10);
    expect(names(catalog)).toHaveLength(4);
    expect(changes).toHaveLength(2);
  });
});

describe('a requested poll', () => {
  test('comes at most once a second, and the last request is always served', async () => {
    const { backend, script } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend]);
    const id = backendId('a');
    for (let i = 0; i < 100; i++) catalog.requestPoll(id);
    await time.advance(0);
    expect(script.polls).toBe(1);
    script.answer = () => lists('late');
    catalog.requestPoll(id);
    await time.advance(999);
    expect(script.polls).toBe(1);
    await time.advance(20);
    expect(script.polls).toBe(2);
    expect(names(catalog)).toEqual(['a_late']);
  });

  test('of an unknown backend does nothing', async () => {
    const { backend, script } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend]);
    catalog.requestPoll(backendId('b'));
    await time.advance(5_000);
    expect(script.polls).toBe(0);
  });
});

describe('a backend that fails (R22)', () => {
  test('keeps its tools, stale, for the grace period, then they vanish; it comes back fresh', async () => {
    const { backend, script } = scripted('a', () => lists('x'));
    const { catalog, time, changes } = setUp([backend]);
    await catalog.start();
    await time.advance(10);
    script.answer = () => failed('timeout');
    await time.advance(61_000);
    expect(status(catalog, 'a')).toBe('stale');
    expect(names(catalog)).toEqual(['a_x']);
    const told = changes.length;
    await time.advance(800_000);
    expect(status(catalog, 'a')).toBe('stale');
    expect(changes).toHaveLength(told);
    await time.advance(100_000);
    expect(status(catalog, 'a')).toBe('gone');
    expect(names(catalog)).toEqual([]);
    script.answer = () => lists('x');
    await time.advance(61_000);
    expect(status(catalog, 'a')).toBe('fresh');
    expect(names(catalog)).toEqual(['a_x']);
  });

  test('vanishes on time, though no poll ends at that moment', async () => {
    const { backend, script } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend]);
    await catalog.poll();
    script.answer = () => failed('timeout');
    await catalog.poll();
    script.answer = hang;
    await time.advance(899_999);
    expect(names(catalog)).toEqual(['a_x']);
    await time.advance(1);
    expect(names(catalog)).toEqual([]);
  });
});

describe('a restart', () => {
  test('with dead backends serves the last tools, stale, under the same names', async () => {
    const { store } = memoryStore();
    const first = setUp(
      [
        scripted('a', () =>
          listed(catalogOf({ tools: [tool('x')], resources: [resource('docs://1')] }), 'v1'),
        ).backend,
      ],
      store,
    );
    await first.catalog.start();
    await first.time.advance(10);
    await first.catalog.close();

    const dead = scripted('a', () => failed('unreachable'));
    const second = setUp([dead.backend], store);
    await second.catalog.start();
    expect(names(second.catalog)).toEqual(['a_x']);
    expect(second.catalog.snapshot().resources.size).toBe(1);
    expect(status(second.catalog, 'a')).toBe('stale');
    expect(dead.script.etags).toEqual(['v1']);
    await second.time.advance(100_000);
    expect(names(second.catalog)).toEqual(['a_x']);
    await second.time.advance(900_000);
    expect(names(second.catalog)).toEqual([]);
  });

  test('does not let another backend take a name, or a scheme, while its owner is down', async () => {
    const { store } = memoryStore();
    const docs = listed(catalogOf({ tools: [tool('b_c')], resources: [resource('docs://1')] }));
    const first = setUp([scripted('b', () => docs).backend], store);
    first.catalog.replaceBackends([withRules(scripted('b', () => docs).backend, 'a')], rules);
    await first.catalog.start();
    await first.time.advance(10);
    expect(names(first.catalog)).toEqual(['a_b_c']);
    await first.catalog.close();

    const dead = scripted('b', () => failed('unreachable'));
    const rival = scripted('a', () =>
      listed(catalogOf({ tools: [tool('b_c')], resources: [resource('docs://1')] })),
    );
    const second = setUp([rival.backend], store);
    second.catalog.replaceBackends([withRules(rival.backend, 'a'), withRules(dead.backend, 'a')], rules);
    await second.catalog.start();
    await second.time.advance(1_500_000);
    expect(names(second.catalog)).toEqual([]);
    expect(second.catalog.snapshot().resources.size).toBe(0);
    expect(second.catalog.snapshot().withheld.map(({ backend, reason }) => [backend, reason])).toEqual([
      ['a', 'name_collision'],
      ['a', 'scheme_taken'],
    ]);
  });

  test('writes only what changed', async () => {
    const { store, counts } = memoryStore();
    const { backend } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend], store);
    await catalog.start();
    await time.advance(600_000);
    expect(counts.saves).toBe(1);
  });

  test('forgets the saved catalog of a backend that left the configuration', async () => {
    const { store, backends } = memoryStore();
    const first = setUp([scripted('a', () => lists('x')).backend], store);
    await first.catalog.start();
    await first.time.advance(10);
    await first.catalog.close();
    expect([...backends.keys()]).toEqual(['a']);
    const second = setUp([], store);
    await second.catalog.start();
    await second.catalog.close();
    expect(backends.size).toBe(0);
  });

  test('with a damaged saved catalog starts without it and says so', async () => {
    const { store, backends } = memoryStore();
    backends.set('a', { backend: 'a', catalog: '{"version":1,"catalog":{}}', etag: 'v', savedAt: 1 });
    const { backend, script } = scripted('a', () => lists('x'));
    const { catalog, events, time } = setUp([backend], store);
    await catalog.start();
    expect(names(catalog)).toEqual([]);
    expect(events()).toContain('catalog.saved_unreadable');
    await time.advance(10);
    expect(script.etags).toEqual([undefined]);
    expect(names(catalog)).toEqual(['a_x']);
  });

  test('a store that cannot write is logged, and what is served does not suffer', async () => {
    const { store } = memoryStore();
    const full: CatalogStore = { ...store, saveBackend: () => Promise.reject(new Error('disk full')) };
    const { catalog, events } = setUp([scripted('a', () => lists('x')).backend], full);
    await catalog.poll();
    await catalog.close();
    expect(names(catalog)).toEqual(['a_x']);
    expect(events()).toContain('catalog.save_failed');
  });
});

describe('a new configuration', () => {
  test('takes removed backends away at once and polls new ones at once', async () => {
    const a = scripted('a', () => lists('x'));
    const b = scripted('b', () => lists('x'));
    const { catalog, time } = setUp([a.backend]);
    await catalog.start();
    await time.advance(10);
    catalog.replaceBackends([withRules(b.backend)], rules);
    expect(names(catalog)).toEqual([]);
    await time.advance(10);
    expect(names(catalog)).toEqual(['b_x']);
    const polls = a.script.polls;
    await time.advance(300_000);
    expect(a.script.polls).toBe(polls);
  });

  test('keeps the tools of a backend that is another object now, and ignores what the old one still says', async () => {
    const waiting: ((answer: Answer) => void)[] = [];
    const old = scripted('a', () => listed(catalogOf({ tools: [tool('x')] }), 'v1'));
    const { catalog, time } = setUp([old.backend]);
    await catalog.start();
    await time.advance(10);
    old.script.answer = () => new Promise<Answer>((resolve) => waiting.push(resolve));
    void catalog.poll();
    const next = scripted('a', hang);
    catalog.replaceBackends([withRules(next.backend)], rules);
    expect(names(catalog)).toEqual(['a_x']);
    expect(status(catalog, 'a')).toBe('stale');
    waiting[0]?.(lists('wrong'));
    await time.advance(100);
    expect(names(catalog)).toEqual(['a_x']);
    expect(next.script.etags).toEqual([undefined]);
  });

  test('with another prefix keeps the former names callable for the grace period, and no longer', async () => {
    const { backend } = scripted('a', () => lists('x'));
    const { catalog, time } = setUp([backend]);
    await catalog.poll();
    catalog.replaceBackends([withRules(backend, 'new')], rules);
    expect(names(catalog)).toEqual(['new_x']);
    expect(catalog.snapshot().formerNames.get('a_x')).toBe('new_x');
    await time.advance(1_000);
    expect(catalog.snapshot().formerNames.size).toBe(0);
  });
});

test('closing aborts polls, leaves no timer, and lets no late answer in', async () => {
  const signals: AbortSignal[] = [];
  const backend = listing('a', (_etag, signal) => {
    signals.push(signal);
    return hang();
  });
  const { catalog, time } = setUp([backend]);
  await catalog.start();
  await time.advance(0);
  await catalog.close();
  await time.advance(0);
  expect(signals[0]?.aborted).toBe(true);
  expect(time.pending()).toBe(0);
  catalog.requestPoll(backendId('a'));
  await catalog.poll();
  expect(signals).toHaveLength(1);
});

test('a listener that throws does not keep the others from being told', async () => {
  const { catalog, events } = setUp([scripted('a', () => lists('x')).backend]);
  const told: number[] = [];
  catalog.onChange(() => {
    throw new Error('bug');
  });
  const stop = catalog.onChange((_before, after) => told.push(after.generation));
  await catalog.poll();
  expect(told).toHaveLength(1);
  expect(events()).toContain('catalog.listener_threw');
  stop();
  catalog.replaceBackends([], rules);
  expect(told).toHaveLength(1);
});

test('settled waits for the first answer or failure of each backend, and asks nobody twice', async () => {
  const good = scripted('good', () => lists('x'));
  const hung = scripted('hung', hang);
  const { catalog, time } = setUp([good.backend, hung.backend]);
  await catalog.start();
  let isSettled = false;
  const settled = catalog.settled().then(() => {
    isSettled = true;
  });
  await time.advance(5_000);
  expect(isSettled).toBe(false);
  await time.advance(5_000);
  await settled;
  expect(good.script.polls).toBe(1);
  expect(names(catalog)).toEqual(['good_x']);
});

test('what is withheld is logged once, with its reason', async () => {
  const { backend, script } = scripted('a', () => listed(catalogOf({ tools: [tool('x', { scopes: [] })] })));
  const { catalog, lines } = setUp([backend]);
  await catalog.poll();
  script.answer = () => listed(catalogOf({ tools: [tool('x', { scopes: [] }), tool('y')] }));
  await catalog.poll();
  expect(lines.filter(({ event }) => event === 'catalog.withheld').map(({ fields }) => fields)).toEqual([
    { backend: 'a', kind: 'tool', name: 'x', reason: 'no_scope' },
  ]);
});
