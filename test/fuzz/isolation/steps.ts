import fc from 'fast-check';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { metaKeys } from '#wire/protocol.ts';
import type { Answer } from '../../support/mcp-caller.ts';
import type { News } from './board-server.ts';
import { canary, type Owner, owners } from './canary.ts';
import { allScopes, gatewayOrigin, type LinkedServer, type Person, pageOf } from './person.ts';
import type { World } from './world.ts';

const servers: readonly LinkedServer[] = ['board', 'calendar'];
const calls = [
  'find',
  'own',
  'fail',
  'ask',
  'log',
  'prompt',
  'read',
  'complete',
  'calendar',
  'note',
  'ledgers',
] as const;
const scopeSets = [
  allScopes,
  allScopes,
  ['mcp:notes:read', 'mcp:board'],
  ['mcp:notes:read', 'mcp:notes:write', 'mcp:billing:read', 'mcp:calendar'],
] as const;

/** One thing that one person, or the operator, or a third party does. */
export type Step =
  | { readonly does: 'sign in'; readonly who: Owner; readonly scopes: number }
  | {
      readonly does: 'link';
      readonly who: Owner;
      readonly server: LinkedServer;
      readonly from: 'tool' | 'page';
    }
  /** Somebody else opens the link, or the provider's answer, that was meant for `who`. */
  | { readonly does: 'steal'; readonly who: Owner; readonly by: Owner; readonly what: 'ticket' | 'callback' }
  | {
      readonly does: 'unlink';
      readonly who: Owner;
      readonly server: LinkedServer;
      readonly how: 'page' | 'operator' | 'provider';
    }
  /** The operator cuts somebody off, or erases what is kept of it: either way it has to sign in again. */
  | { readonly does: 'erase' | 'revoke'; readonly who: Owner }
  | {
      readonly does: 'call';
      readonly who: Owner;
      readonly what: (typeof calls)[number];
      readonly isLegacy: boolean;
    }
  /** Somebody else comes with a state, session or cursor that was `who`'s. */
  | { readonly does: 'replay'; readonly who: Owner; readonly by: Owner; readonly what: 'state' | 'session' }
  | { readonly does: 'listen'; readonly who: Owner; readonly isLegacy: boolean }
  | { readonly does: 'news'; readonly who: Owner; readonly news: News }
  | { readonly does: 'report'; readonly who: Owner }
  | { readonly does: 'wait'; readonly minutes: number }
  | { readonly does: 'rotate' | 'poll' | 'restart' };

const who = fc.constantFrom(...owners);
const two = fc.tuple(who, who).filter(([one, other]) => one !== other);
const server = fc.constantFrom(...servers);
/** The board most of the time: what it says tells whose it is. */
const oftenBoard = fc.constantFrom<LinkedServer>('board', 'board', 'board', 'calendar');
const does = <D extends string>(what: D) => fc.constant<D>(what);

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ does: does('sign in'), who, scopes: fc.nat(scopeSets.length - 1) }) },
  {
    weight: 14,
    arbitrary: fc.record({
      does: does('link'),
      who,
      server: oftenBoard,
      from: fc.constantFrom('tool', 'page'),
    }),
  },
  {
    weight: 8,
    arbitrary: two.chain(([one, by]) =>
      fc.record({
        does: does('steal'),
        who: fc.constant(one),
        by: fc.constant(by),
        what: fc.constantFrom('ticket', 'callback'),
      }),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      does: does('unlink'),
      who,
      server,
      how: fc.constantFrom('page', 'operator', 'provider'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: does('erase'), who }) },
  { weight: 4, arbitrary: fc.record({ does: does('revoke'), who }) },
  {
    weight: 30,
    arbitrary: fc.record({
      does: does('call'),
      who,
      what: fc.constantFrom(...calls),
      isLegacy: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: two.chain(([one, by]) =>
      fc.record({
        does: does('replay'),
        who: fc.constant(one),
        by: fc.constant(by),
        what: fc.constantFrom('state', 'state', 'session'),
      }),
    ),
  },
  { weight: 8, arbitrary: fc.record({ does: does('listen'), who, isLegacy: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({ does: does('news'), who, news: fc.constantFrom('lists', 'resource') }),
  },
  { weight: 4, arbitrary: fc.record({ does: does('report'), who }) },
  { weight: 2, arbitrary: fc.record({ does: does('wait'), minutes: fc.constantFrom(1, 16, 61) }) },
  { weight: 1, arbitrary: fc.record({ does: does('rotate') }) },
  { weight: 2, arbitrary: fc.record({ does: does('poll') }) },
  { weight: 2, arbitrary: fc.record({ does: does('restart') }) },
);

/** Whom a step may show something new to, beside whoever takes it: nobody. */
export function actorOf(taken: Step): Owner | undefined {
  if ('by' in taken) return taken.by;
  return 'who' in taken ? taken.who : undefined;
}

export async function take(world: World, taken: Step): Promise<void> {
  const person = (owner: Owner) => world.person(owner);
  switch (taken.does) {
    case 'sign in':
      return person(taken.who).signIn(scopeSets[taken.scopes] ?? allScopes);
    case 'link':
      return link(person(taken.who), taken.server, taken.from);
    case 'steal':
      return steal(person(taken.who), person(taken.by), taken.what);
    case 'unlink':
      return unlink(world, person(taken.who), taken.server, taken.how);
    case 'erase':
    case 'revoke':
      return cutOff(world, person(taken.who), taken.does);
    case 'call':
      return call(world, person(taken.who), taken.what, taken.isLegacy);
    case 'replay':
      return replay(world, person(taken.who), person(taken.by), taken.what);
    case 'listen':
      return listen(person(taken.who), taken.isLegacy);
    case 'news':
      if (person(taken.who).streams.length === 0) await listen(person(taken.who), false);
      world.parties.board.tell(taken.who, taken.news);
      world.parties.board.tell(taken.who, 'resource');
      // Until it has gone through the gateway.
      return Bun.sleep(3);
    case 'report':
      return report(person(taken.who));
    case 'wait':
      return world.clock.advance(taken.minutes * 60_000);
    case 'rotate':
      await world.operate('POST /vault/rotate', {});
      return;
    case 'poll':
      await world.gateway.gateway.catalog.poll();
      return;
    case 'restart':
      return world.restart();
  }
}

async function cutOff(world: World, person: Person, how: 'erase' | 'revoke'): Promise<void> {
  const before = await person.agent();
  const { user, issuer } = await world.named(person.owner);
  if (how === 'erase') await world.operate('POST /vault/erase', { user, issuer });
  else await world.operate('POST /revocations', { kind: 'subject', value: user, issuer });
  const { status } = await before.modern('tools/list');
  if (how === 'revoke' && status !== 401)
    world.gateway.leaks.push(`${person.owner} was served (${status}) with a token that was revoked`);
  // Whoever signs in within the same second is taken for one of before.
  world.clock.advance(2_000);
  await person.signIn(allScopes);
}

async function invitation(person: Person, server: LinkedServer): Promise<string | undefined> {
  const { said } = await (await person.agent()).tool(`${server}_link`);
  return /http:\/\/\S+\/link\/\w+\?ticket=[\w-]+/.exec(said)?.[0];
}

async function link(person: Person, server: LinkedServer, from: 'tool' | 'page'): Promise<void> {
  const url = from === 'page' ? `${gatewayOrigin}/link` : await invitation(person, server);
  if (url === undefined) return;
  const answered = await person.consentFrom(await person.openPage(url), server);
  if (answered === undefined) return;
  const confirm = pageOf(await person.browser.open(answered));
  if (confirm.html.includes(`/link/${server}/finish`))
    pageOf(await person.browser.submit(confirm, `/link/${server}/finish`, {}));
}

async function steal(person: Person, thief: Person, what: 'ticket' | 'callback'): Promise<void> {
  const url = await invitation(person, 'board');
  if (url === undefined) return;
  const page = await (what === 'ticket' ? thief : person).openPage(url);
  const answered = await (what === 'ticket' ? thief : person).consentFrom(page, 'board');
  if (answered === undefined) return;
  const confirm = pageOf(await thief.browser.open(answered));
  if (confirm.html.includes('/link/board/finish'))
    pageOf(await thief.browser.submit(confirm, '/link/board/finish', {}));
}

async function unlink(
  world: World,
  person: Person,
  server: LinkedServer,
  how: 'page' | 'operator' | 'provider',
): Promise<void> {
  if (how === 'provider') {
    await world.parties.theirs.demo.server.revokeUser(`${canary(person.owner, 'account')}@example.com`);
    return;
  }
  if (how === 'operator') {
    await world.operate('POST /vault/unlink', { server, ...(await world.named(person.owner)) });
    return;
  }
  const page = await person.openPage(`${gatewayOrigin}/link`);
  if (page.html.includes(`/link/${server}/unlink`))
    pageOf(await person.browser.submit(page, `/link/${server}/unlink`, {}));
}

async function call(
  world: World,
  person: Person,
  what: (typeof calls)[number],
  isLegacy: boolean,
): Promise<void> {
  const { owner } = person;
  const ask = isLegacy ? (await person.session()).request : (await person.agent()).modern;
  const meta = {
    progressToken: canary(owner, 'param'),
    [metaKeys.logLevel]: 'debug',
    ...(!isLegacy && { [metaKeys.clientInfo]: { name: canary(owner, 'agent'), version: '1' } }),
  };
  const args = { q: canary(owner, 'param') };
  const options = { meta, id: canary(owner, 'param'), capabilities: { elicitation: {} } };
  const tool = (name: string, given: JsonObject = args): Promise<Answer> =>
    ask('tools/call', { name, arguments: given }, options);
  switch (what) {
    case 'own':
      await tool(`board_${owner}_own`);
      await tool(`board_${canary(owner, 'tool')}`);
      return;
    case 'ask': {
      // The same for everybody, so that somebody else's retry differs in nothing but who sends it.
      const given = { name: 'board_ask', arguments: { q: 'the same' } };
      const asked = isLegacy ? undefined : await ask('tools/call', given, options);
      const requestState = asked && stringAt(asked.result, 'requestState');
      if (requestState === undefined) return;
      world.states.set(owner, {
        ...given,
        requestState,
        inputResponses: { q: { action: 'accept', content: {} } },
      });
      await ask('tools/call', world.states.get(owner), options);
      return;
    }
    case 'prompt':
      await ask('prompts/get', { name: 'board_plan', arguments: args }, options);
      return;
    case 'read':
      await ask('resources/read', { uri: `board://board/${owner}/1` }, options);
      await ask('resources/read', { uri: 'board://board/everybody' }, options);
      return;
    case 'complete':
      await ask('completion/complete', {
        ref: { type: 'ref/prompt', name: 'board_plan' },
        argument: { name: 'q', value: canary(owner, 'param') },
      });
      return;
    case 'calendar':
      await tool('calendar_add_event', { title: canary(owner, 'event'), day: '2026-12-01' });
      await tool('calendar_list_events', {});
      return;
    case 'note':
      await tool('notes_write_note', { title: canary(owner, 'note'), text: canary(owner, 'note') });
      await tool('notes_list_notes', {});
      return;
    case 'ledgers':
      await tool('asserted_mine');
      await tool('exchanged_mine');
      return;
    default:
      await tool(`board_${what}`);
  }
}

async function replay(world: World, person: Person, by: Person, what: 'state' | 'session'): Promise<void> {
  if (what === 'session') {
    const theirs = await person.session();
    const taken = (await by.agent()).session(theirs.id);
    await taken.request('tools/list');
    await taken.tool('board_find', { q: canary(by.owner, 'param') });
    const stream = await taken.get();
    await stream.body?.cancel();
    await taken.end();
    const { status } = await theirs.request('ping');
    if (stream.status === 200 || status !== 200)
      world.gateway.leaks.push(
        `${by.owner} opened (${stream.status}) or ended (${status}) a session of ${person.owner}`,
      );
    return;
  }
  await call(world, person, 'ask', false);
  const state = world.states.get(person.owner);
  if (state === undefined) return;
  await (await by.agent()).modern('tools/call', state, { capabilities: { elicitation: {} } });
}

async function listen(person: Person, isLegacy: boolean): Promise<void> {
  if (person.streams.length >= 3) await person.streams.shift()?.close();
  const { owner } = person;
  const uri = `board://board/${canary(owner, 'tool')}`;
  if (isLegacy) {
    const session = await person.session();
    await session.request('resources/subscribe', { uri });
    person.streams.push(await session.events());
    return;
  }
  const kinds = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
  const agent = await person.agent();
  person.streams.push(
    await agent.listen({ ...kinds, resourceSubscriptions: [uri] }, { id: canary(owner, 'param') }),
  );
}

async function report(person: Person): Promise<void> {
  const title = canary(person.owner, 'ticket');
  await (await person.agent()).tool('report_missing_capability', { title, details: title });
}
