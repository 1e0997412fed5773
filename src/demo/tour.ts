import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { connectDemoAgent, type DemoAgent } from './demo-agent.ts';
import type { DemoWorld } from './demo-world.ts';
import { createHeadlessBrowser } from './headless-browser.ts';
import { linkHeadlessly } from './link-headlessly.ts';

/** One thing the tour shows. `run` resolves with what was seen, and throws where it was not as promised. */
export interface TourStep {
  readonly title: string;
  run(): Promise<string>;
}

export interface TourOptions {
  readonly url: string;
  readonly world: DemoWorld;
  readonly readLink: (email: string) => Promise<string>;
}

export interface Tour {
  readonly steps: readonly TourStep[];
  close(): Promise<void>;
}

const proTool = 'billing_export_invoices';
const newTool = 'notes_count_words';
const linkTool = 'calendar_link';
const calendarTool = 'calendar_list_events';
const changeTimeoutMs = 5_000;
const revocationTimeoutMs = 5_000;
const promisedMs = 1_000;

/** The whole promise, step by step, with the official client as the agent. */
export function createTour({ url, world, readLink }: TourOptions): Tour {
  const agents = new Map<string, DemoAgent>();
  const changed = new Map<string, () => void>();
  let noteId = '';
  let freeTools: readonly string[] = [];
  let linked = '';

  async function join(name: string, email: string, era: 'modern' | 'legacy'): Promise<DemoAgent> {
    const browser = createHeadlessBrowser();
    const agent = await connectDemoAgent({
      url,
      name: `${name}'s agent`,
      email,
      era,
      browser,
      readLink,
      onToolsChanged: () => changed.get(name)?.(),
      async onOpenPage(page) {
        const accountEmail = `${name}@calendar.example`;
        linked = await linkHeadlessly({
          url: page,
          server: 'calendar',
          email,
          accountEmail,
          browser,
          readLink,
        });
      },
    });
    agents.set(name, agent);
    return agent;
  }
  function agentOf(name: string): DemoAgent {
    const agent = agents.get(name);
    if (agent === undefined) throw new Error(`${name} is not connected.`);
    return agent;
  }
  const toolsOf = async (name: string) =>
    (await agentOf(name).client.listTools()).tools.map((tool) => tool.name);
  const call = (name: string, tool: string, args: JsonObject) =>
    agentOf(name).client.callTool({ name: tool, arguments: { ...args } });

  const steps: readonly TourStep[] = [
    {
      title: 'a stranger is turned away, and told where to sign in',
      async run() {
        const answer = await fetch(url, { method: 'POST' });
        const challenge = answer.headers.get('www-authenticate') ?? '';
        expect(
          answer.status === 401 && challenge.includes('resource_metadata="'),
          `${answer.status} ${challenge}`,
        );
        return `401, ${/resource_metadata="[^"]+"/.exec(challenge)?.[0]}`;
      },
    },
    {
      title: 'alice signs up: registration, PKCE, magic link, consent, token',
      async run() {
        const agent = await join('alice', 'alice@example.com', 'modern');
        expect(agent.scopes().length > 0, 'the token came without scopes');
        return `client ${agent.clientId.slice(0, 12)}..., scopes ${agent.scopes().join(' ')}`;
      },
    },
    {
      title: 'her agent, configured with nothing but the URL, sees the tools of the free plan',
      async run() {
        freeTools = await toolsOf('alice');
        expect(freeTools.includes('notes_write_note'), `no notes_write_note in ${freeTools.join(' ')}`);
        return `${freeTools.length} tools: ${freeTools.join(' ')}`;
      },
    },
    {
      title: 'it calls a tool as her, and the application knows her',
      async run() {
        const result = await call('alice', 'notes_write_note', { title: 'Diary', text: 'Only for me' });
        const note = jsonOf(result);
        noteId = stringAt(note, 'id') ?? '';
        const listed = textOf(await call('alice', 'notes_list_notes', {}));
        expect(noteId !== '' && listed.includes(noteId), listed);
        return `note ${noteId} written, and listed as hers`;
      },
    },
    {
      title:
        'bob, with a client of the 2025 protocol, may not read it: the application refuses, not the gateway',
      async run() {
        await join('bob', 'bob@example.com', 'legacy');
        const result = await call('bob', 'notes_read_note', { id: noteId });
        const text = textOf(result);
        expect(result.isError === true && text.includes('belongs to somebody else'), text);
        return `"${text}"`;
      },
    },
    {
      title: 'a tool of the pro plan does not exist for the free plan',
      async run() {
        expect(!freeTools.includes(proTool), `${proTool} is listed`);
        const refusal = await call('alice', proTool, {}).then(
          () => 'it was answered',
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
        expect(refusal.includes(`Unknown tool: ${proTool}`), refusal);
        return `not listed; called anyway: "${refusal}"`;
      },
    },
    {
      title: 'alice moves to the pro plan: her next token brings its tool',
      async run() {
        expect(world.authorizationServer.setPlan('alice@example.com', 'pro'), 'the plan was not changed');
        await agentOf('alice').renew();
        const tools = await toolsOf('alice');
        const result = await call('alice', proTool, { year: 2026 });
        expect(tools.includes(proTool) && result.isError !== true, textOf(result));
        const added = tools.filter((tool) => !freeTools.includes(tool));
        return `+ ${added.join(' ')}; called: ${textOf(result).length} characters of CSV`;
      },
    },
    {
      title: 'the notes application gains a tool: both agents are told, in both protocol eras',
      async run() {
        const told = Promise.all(['alice', 'bob'].map((name) => nextChange(changed, name)));
        world.notes.addTool(
          {
            name: 'count_words',
            scope: 'mcp:notes:read',
            description: 'Count the words of a text.',
            params: { text: 'string' },
            annotations: { readOnlyHint: true },
          },
          (_user, { text }) => Response.json({ words: String(text).split(/\s+/).filter(Boolean).length }),
        );
        const startedMs = performance.now();
        const poked = await fetch(new URL('/catalog/changed', url), {
          method: 'POST',
          headers: { authorization: `Bearer ${world.technicalToken}`, 'content-type': 'application/json' },
          body: JSON.stringify({ backend: 'notes', changed: ['tools'] }),
        });
        expect(poked.status === 202, `/catalog/changed answered ${poked.status}`);
        await told;
        const tookMs = Math.round(performance.now() - startedMs);
        const result = await call('bob', newTool, { text: 'one two three' });
        expect(textOf(result).includes('3'), textOf(result));
        return `list_changed after ${tookMs} ms; ${newTool} called: ${textOf(result)}`;
      },
    },
    {
      title: `a third party's server shows one tool to who has no account linked there; she calls it, and links hers`,
      async run() {
        const before = await toolsOf('alice');
        expect(before.includes(linkTool) && !before.includes(calendarTool), before.join(' '));
        const told = nextChange(changed, 'alice');
        const result = await call('alice', linkTool, {});
        expect(result.isError !== true && linked.includes('linked'), `${linked}: ${textOf(result)}`);
        await told;
        const tools = await toolsOf('alice');
        expect(tools.includes(calendarTool) && !tools.includes(linkTool), tools.join(' '));
        return `"${linked}"; the same call went on: "${textOf(result)}"; + ${tools.filter((tool) => !before.includes(tool)).join(' ')}`;
      },
    },
    {
      title:
        'the third party is called with her own account there; bob, who has none linked, sees none of it',
      async run() {
        const added = await call('alice', 'calendar_add_event', { title: 'Dentist', day: '2026-12-03' });
        const listed = textOf(await call('alice', calendarTool, {}));
        expect(added.isError !== true && listed.includes('Dentist'), `${textOf(added)} ${listed}`);
        const tools = await toolsOf('bob');
        expect(tools.includes(linkTool) && !tools.includes(calendarTool), tools.join(' '));
        return `her calendar: ${listed}; bob sees ${tools.filter((tool) => tool.startsWith('calendar')).join(' ')}`;
      },
    },
    {
      title: 'whoami says who she is, in the gateway and in each application',
      async run() {
        const said = jsonOf(await call('alice', 'whoami', {}));
        const { plan, applications } = said;
        expect(plan === 'pro' && isJsonObject(applications), JSON.stringify(said));
        return `plan ${plan}, ${JSON.stringify(applications)}`;
      },
    },
    {
      title:
        'her access is revoked at the authorization server: her next call is refused, her token still unexpired',
      async run() {
        const token = agentOf('alice').accessToken();
        expect((await knock(url, token)) !== 401, 'her token was refused before');
        const startedMs = performance.now();
        expect(await world.authorizationServer.revokeUser('alice@example.com'), 'nothing was revoked');
        while ((await knock(url, token)) !== 401)
          expect(performance.now() - startedMs < revocationTimeoutMs, 'her token is still good');
        const tookMs = Math.ceil(performance.now() - startedMs);
        expect(tookMs < promisedMs, `refused only after ${tookMs} ms`);
        const bob = await call('bob', 'notes_list_notes', {});
        expect(bob.isError !== true, `bob was refused, too: ${textOf(bob)}`);
        return `refused ${tookMs} ms after she was revoked; bob goes on`;
      },
    },
  ];

  return {
    steps,
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.close()));
    },
  };
}

/** The status of any request with this token. */
async function knock(url: string, token: string): Promise<number> {
  const answer = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  await answer.body?.cancel();
  return answer.status;
}

function expect(isAsPromised: boolean, seen: string): void {
  if (!isAsPromised) throw new Error(seen);
}

function nextChange(changed: Map<string, () => void>, name: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`${name}'s agent was not told.`)), changeTimeoutMs);
  changed.set(name, () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** The first text of a tool result. */
function textOf(result: { readonly content?: unknown }): string {
  const first: unknown = Array.isArray(result.content) ? result.content[0] : undefined;
  return isJsonObject(first) ? (stringAt(first, 'text') ?? '') : '';
}

function jsonOf(result: { readonly content?: unknown }): JsonObject {
  const value: unknown = JSON.parse(textOf(result));
  return isJsonObject(value) ? value : {};
}
