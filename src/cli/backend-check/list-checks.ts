import { parsePrompts } from '#contract/parse-prompts.ts';
import { parseResources, parseResourceTemplates } from '#contract/parse-resources.ts';
import { parseTools } from '#contract/parse-tools.ts';
import { canonicalJson, isJsonObject, stringAt } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';
import { type Check, fail, type Kit, pass, skip, type Verdict, worst } from './check.ts';
import { brief, type ProbeReply } from './probe.ts';

const maxDefinitions = 2_000;
const lists = 'Methods';
const twoTokens = 'Two kinds of token';

const optionalLists = [
  { method: 'list_prompts', parse: parsePrompts },
  { method: 'list_resources', parse: parseResources },
  { method: 'list_resource_templates', parse: parseResourceTemplates },
] as const;

/** What is read with the technical token. */
export const listChecks: readonly Check[] = [
  {
    id: 'list-tools',
    clause: lists,
    title: 'list_tools answers the technical token with a list of tools',
    async run({ probe, technicalToken }) {
      const reply = await probe({ method: 'list_tools', token: technicalToken });
      return listVerdict(reply, (answer) => parseTools(answer, maxDefinitions), true);
    },
  },
  {
    id: 'tool-scopes',
    clause: 'Tools',
    title: 'each tool names a scope, so that somebody can see it',
    async run({ tools }) {
      const silent = tools.filter(({ scopes }) => scopes.length === 0).map(({ name }) => name);
      return silent.length === 0 ? pass : fail(`without a scope, shown to nobody: ${silent.join(', ')}`);
    },
  },
  {
    id: 'tool-descriptions',
    clause: 'Tools',
    title: 'each tool has a description that an agent can choose by',
    async run({ tools }) {
      const bare = tools
        .filter(({ description }) => (description ?? '').trim() === '')
        .map(({ name }) => name);
      return bare.length === 0
        ? pass
        : { outcome: 'warn', detail: `without a description: ${bare.join(', ')}` };
    },
  },
  {
    id: 'lists-stable',
    clause: lists,
    title: 'two answers of list_tools are equal',
    async run({ probe, technicalToken }) {
      const [first, second] = await Promise.all([
        probe({ method: 'list_tools', token: technicalToken }),
        probe({ method: 'list_tools', token: technicalToken }),
      ]);
      if (first.status !== 200 || second.status !== 200) return skip('list_tools does not answer');
      const isSame = canonicalJson(first.json) === canonicalJson(second.json);
      return isSame ? pass : fail('the catalog is the same for everyone and changes only when your tools do');
    },
  },
  ...optionalLists.map(
    ({ method, parse }): Check => ({
      id: method.replaceAll('_', '-'),
      clause: lists,
      title: `${method} answers with its list, or says that the method is unknown`,
      async run({ probe, technicalToken }) {
        const reply = await probe({ method, token: technicalToken });
        if (isUnknownMethod(reply)) return { outcome: 'pass', detail: 'not offered' };
        const parsed = (answer: unknown): Result<{ readonly problems: readonly string[] }, string> =>
          parse(answer, maxDefinitions);
        return listVerdict(reply, parsed, false);
      },
    }),
  ),
  {
    id: 'etag',
    clause: 'Optional powers',
    title: 'a list with an ETag is answered 304 where it did not change',
    async run({ probe, technicalToken }) {
      const first = await probe({ method: 'list_tools', token: technicalToken });
      const etag = first.headers.get('etag');
      if (etag === undefined) return { outcome: 'pass', detail: 'no ETag' };
      const headers = { 'if-none-match': etag };
      const second = await probe({ method: 'list_tools', token: technicalToken, headers });
      if (second.status === 304) return second.text === '' ? pass : fail('the 304 has a body');
      return second.status === 200 ? pass : fail(brief(second));
    },
  },
  {
    id: 'lists-need-technical-token',
    clause: twoTokens,
    title: 'the lists are refused without the technical token, with a wrong one and with a user’s',
    async run({ probe, token, technicalToken }) {
      const wrong = `${technicalToken.slice(0, -1)}${technicalToken.endsWith('x') ? 'y' : 'x'}`;
      const given = new Map([
        ['without a token', undefined],
        ['with a wrong token', wrong],
        ['with a user’s token', token],
      ]);
      const verdicts = [...given].map(async ([what, presented]) => {
        const reply = await probe({ method: 'list_tools', token: presented });
        return reply.status === 401 || reply.status === 403 ? pass : fail(`${what}: ${brief(reply)}`);
      });
      return worst(await Promise.all(verdicts));
    },
  },
  {
    id: 'technical-token-runs-nothing',
    clause: twoTokens,
    title: 'the technical token is answered 403 by every tool and every user’s method',
    async run({ probe, technicalToken, tools }: Kit) {
      const methods = [...tools.slice(0, 50).map(({ name }) => name), 'whoami', 'get_help'];
      const verdicts: Verdict[] = [];
      for (const method of methods) {
        const isTool = tools.some(({ name }) => name === method);
        const headers: Readonly<Record<string, string>> = isTool ? { 'x-cortex-kind': 'tool' } : {};
        const reply = await probe({ method, token: technicalToken, headers });
        const isFine = reply.status === 403 || (!isTool && isUnknownMethod(reply));
        verdicts.push(isFine ? pass : fail(`${method}: ${brief(reply)}`));
      }
      return worst(verdicts);
    },
  },
];

function listVerdict(
  reply: ProbeReply,
  parse: (answer: unknown) => Result<{ readonly problems: readonly string[] }, string>,
  isNeeded: boolean,
): Verdict {
  if (reply.status !== 200) return fail(brief(reply));
  const encoding = reply.headers.get('content-encoding');
  if (encoding !== undefined) return fail(`compressed (${encoding}) though nobody asked for it`);
  const parsed = parse(reply.json);
  if (!parsed.ok) return fail(`${parsed.error}: ${brief(reply)}`);
  const [problem] = parsed.value.problems;
  if (problem !== undefined) return fail(problem);
  const { json } = reply;
  const isEmpty = isNeeded && isJsonObject(json) && Array.isArray(json.tools) && json.tools.length === 0;
  return isEmpty ? { outcome: 'warn', detail: 'there are no tools' } : pass;
}

/** How a backend says that it lacks a method: 404, 400, or a 500 whose error says so. */
export function isUnknownMethod({ status, json }: ProbeReply): boolean {
  const said = isJsonObject(json) ? (stringAt(json, 'error') ?? '') : '';
  if (status === 404 || status === 400) return said !== '';
  return status === 500 && /unknown|not found|unsupported/i.test(said);
}
