import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPassingMarks } from '#backends/signed-list.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { createMovingClock } from '../support/moving-clock.ts';
import { runGateway } from '../support/running-gateway.ts';
import { connect } from './setup.ts';

interface Signing {
  readonly privateKey: KeyObject;
  readonly publicKey: string;
}
function newKey(): Signing {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { privateKey, publicKey: publicKey.export({ format: 'jwk' }).x ?? '' };
}
const key = newKey();

/** A list as a backend that signs sends it. */
function signed(
  body: object,
  changes: { readonly by?: Signing; readonly over?: string; readonly encoding?: 'base64' } = {},
) {
  const text = JSON.stringify(body);
  const { by = key, over = text, encoding = 'base64url' } = changes;
  const signature = sign(null, Buffer.from(over), by.privateKey).toString(encoding);
  return new Response(text, {
    headers: { 'content-type': 'application/json', 'x-cortex-catalog-signature': signature },
  });
}
const tool = (name: string) => ({ name, scope: 'mcp:test', description: 'Änderungen — ✓' });
const list = (name: string, signedAt?: string) => ({ tools: [tool(name)], ...(signedAt && { signedAt }) });
const at = (minutes: number) => new Date(Date.UTC(2026, 10, 27, 12, minutes)).toISOString();

async function setUp(keys: readonly string[] = [key.publicKey]) {
  const server = createCapturingBackend({});
  const clock = createMovingClock();
  const connected = connect(server.url, { catalogKeys: keys }, clock);
  let tools = () => signed(list('one'));
  server.answer('list_tools', () => tools());
  return {
    clock,
    /** What the next answer gives: the names of the tools, or the refusal. */
    async poll(answer: () => Response) {
      tools = answer;
      const found = await connected.backend.discover(undefined, new AbortController().signal);
      if (!found.ok) return `${found.error.reason}: ${found.error.message}`;
      return found.value.kind === 'catalog' ? found.value.catalog.tools.map(({ name }) => name) : 'unchanged';
    },
    async [Symbol.asyncDispose]() {
      await connected[Symbol.asyncDispose]();
      await server.close();
    },
  };
}
const unfit =
  'signature_refused: The list carries a signature that does not fit its bytes and the pinned key.';

describe('the list of a backend whose key is pinned', () => {
  test('is taken with a signature over its bytes, in either alphabet', async () => {
    await using it = await setUp();
    expect(await it.poll(() => signed(list('one')))).toEqual(['one']);
    expect(await it.poll(() => signed(list('two'), { encoding: 'base64' }))).toEqual(['two']);
  });

  test('is refused without a signature', async () => {
    await using it = await setUp();
    expect(await it.poll(() => Response.json(list('one')))).toBe(
      'signature_refused: The list is not signed, and the configuration pins a key.',
    );
  });

  test('is refused with a signature over other bytes, even where they mean the same', async () => {
    await using it = await setUp();
    const body = list('one');
    expect(await it.poll(() => signed(body, { over: JSON.stringify(list('two')) }))).toBe(unfit);
    expect(await it.poll(() => signed(body, { over: `${JSON.stringify(body)}\n` }))).toBe(unfit);
    expect(await it.poll(() => signed(body, { over: JSON.stringify(body, undefined, 1) }))).toBe(unfit);
  });

  test('is refused with the signature of another key', async () => {
    await using it = await setUp();
    expect(await it.poll(() => signed(list('one'), { by: newKey() }))).toBe(unfit);
  });

  test.each(['', 'x', 'AAAA', 'A'.repeat(86), `${'A'.repeat(86)}==`, '!!!!'])(
    'is refused with what is no signature: "%s"',
    async (signature) => {
      await using it = await setUp();
      const refused = await it.poll(() =>
        Response.json(list('one'), { headers: { 'x-cortex-catalog-signature': signature } }),
      );
      expect(refused).toMatch(/^signature_refused: /);
    },
  );

  test('is refused once the key has changed at the backend, and taken with either while both are pinned', async () => {
    const next = newKey();
    await using one = await setUp();
    expect(await one.poll(() => signed(list('one'), { by: next }))).toBe(unfit);
    await using both = await setUp([next.publicKey, key.publicKey]);
    expect(await both.poll(() => signed(list('one')))).toEqual(['one']);
    expect(await both.poll(() => signed(list('two'), { by: next }))).toEqual(['two']);
  });

  test('is refused when it is an old one again, by its signedAt, or when it hides how old it is', async () => {
    await using it = await setUp();
    expect(await it.poll(() => signed(list('old', at(0))))).toEqual(['old']);
    expect(await it.poll(() => signed(list('new', at(5))))).toEqual(['new']);
    expect(await it.poll(() => signed(list('new', at(5))))).toEqual(['new']);
    expect(await it.poll(() => signed(list('old', at(0))))).toBe(
      'signature_refused: The list is older than one that was accepted: a replay.',
    );
    expect(await it.poll(() => signed(list('old')))).toBe(
      'signature_refused: The list says no signedAt, and earlier ones did.',
    );
    expect(await it.poll(() => signed(list('newer', at(6))))).toEqual(['newer']);
  });

  test('is refused with a time to come, which would lock out all that follow, or with none', async () => {
    await using it = await setUp();
    const soon = new Date(it.clock.now() + 60_000).toISOString();
    const later = new Date(it.clock.now() + 6 * 60_000).toISOString();
    expect(await it.poll(() => signed(list('one', later)))).toBe(
      'signature_refused: The list is signed in the future.',
    );
    expect(await it.poll(() => signed(list('one', soon)))).toEqual(['one']);
    expect(await it.poll(() => signed(list('one', 'yesterday')))).toBe(
      'signature_refused: The list has a signedAt that is no time.',
    );
  });

  test('is no other list: prompts that are signed are not taken for tools', async () => {
    await using it = await setUp();
    expect(await it.poll(() => signed({ prompts: [{ name: 'p', scope: 'a' }] }))).toMatch(/^not_json: /);
  });

  test('is taken away by a signed one that is empty, and not by whoever says unsigned that there is none', async () => {
    await using server = Object.assign(createCapturingBackend({}), {
      async [Symbol.asyncDispose]() {
        await server.close();
      },
    });
    await using connected = connect(server.url, { catalogKeys: [key.publicKey] }, createMovingClock());
    const absent = () => Response.json({ error: 'no such method' }, { status: 404 });
    const prompts = async (answer: () => Response) => {
      server.answer('list_prompts', answer);
      const found = await connected.backend.discover(undefined, new AbortController().signal);
      if (!found.ok || found.value.kind !== 'catalog') throw new Error('no catalog');
      return [found.value.catalog.prompts.map(({ name }) => name), found.value.problems];
    };
    server.answer('list_tools', () => signed(list('one', at(0))));
    server.answer('list_resources', absent);
    server.answer('list_resource_templates', absent);
    expect(await prompts(absent)).toEqual([[], []]);
    const prompt = { name: 'hello', scope: 'mcp:test' };
    expect(await prompts(() => signed({ prompts: [prompt], signedAt: at(0) }))).toEqual([['hello'], []]);
    expect(await prompts(absent)).toEqual([['hello'], [expect.stringContaining('is not signed')]]);
    expect(await prompts(() => signed({ prompts: [], signedAt: at(1) }))).toEqual([[], []]);
  });

  test('needs no signature where no key is pinned', async () => {
    await using it = await setUp([]);
    expect(await it.poll(() => Response.json(list('one')))).toEqual(['one']);
  });
});

test('marks that end with the process keep the newest of each list', async () => {
  const marks = createPassingMarks();
  await marks.advance('list_tools', 5);
  expect([marks.last('list_tools'), marks.last('list_prompts')]).toEqual([5, undefined]);
});

test('a gateway serves the last good list while a backend’s are refused, and knows a replay after a restart', async () => {
  const config = { catalog_key: key.publicKey };
  const running = await runGateway({ backends: { notes: { config } } });
  const backend = running.backend('notes');
  let answer = () => signed(list('new', at(5)));
  backend.answer('list_tools', () => answer());
  await running.gateway.catalog.poll();
  const toolsOf = (of: typeof running) => [...of.gateway.catalog.snapshot().tools.keys()];
  expect(toolsOf(running)).toEqual(['notes_new']);
  answer = () => signed(list('old', at(0)));
  await running.gateway.catalog.poll();
  expect(toolsOf(running)).toEqual(['notes_new']);
  const failed = running.logged.filter(({ event }) => event === 'catalog.poll_failed');
  expect(failed.at(-1)).toMatchObject({ backend: 'notes' });
  expect(JSON.stringify(failed.at(-1))).toContain('signature_refused');

  const { folder, issuer } = running;
  await running.gateway.drain(0);
  await running.gateway.close();
  await using again = await runGateway({
    folder,
    issuer,
    running: running.backends,
    backends: { notes: { config } },
  });
  await again.gateway.catalog.poll();
  expect(toolsOf(again)).toEqual(['notes_new']);
  answer = () => signed(list('newest', at(9)));
  await again.gateway.catalog.poll();
  expect(toolsOf(again)).toEqual(['notes_newest']);
  await backend.close();
});
