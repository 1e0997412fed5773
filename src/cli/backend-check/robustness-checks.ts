import { canonicalJson, isJsonObject } from '#kernel/json.ts';
import { type Check, fail, type Kit, pass, skip, type Verdict, worst } from './check.ts';
import { personalCall, readCall } from './identity-checks.ts';
import { isUnknownMethod } from './list-checks.ts';
import { brief, type ProbeReply } from './probe.ts';

const atOnce = 100;
const largeBytes = 2 * 1024 * 1024;
const longName = 1_000_000;
const texts = [
  'ünïcödé ✓ 🦊',
  'עברית العربية',
  '\u0000\u001f',
  '\u202eevil',
  "'; DROP TABLE x; --",
  'a'.repeat(100_000),
];

/** Odd input, and much of it. */
export const robustnessChecks: readonly Check[] = [
  {
    id: 'unknown-method',
    clause: 'Methods',
    title: 'an unknown method is answered 404 (or 400) with an error',
    async run({ probe, token }) {
      const reply = await probe({ method: 'no_such_method_here', token });
      return isUnknownMethod(reply) ? pass : fail(brief(reply));
    },
  },
  {
    id: 'inherited-names',
    clause: 'Methods',
    title: 'names that every object has (constructor, __proto__) are unknown methods',
    async run({ probe, token }) {
      const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];
      const replies = await Promise.all(names.map((method) => probe({ method, token })));
      return worst(
        replies.map((reply, at) => (isUnknownMethod(reply) ? pass : fail(`${names[at]}: ${brief(reply)}`))),
      );
    },
  },
  {
    id: 'odd-bodies',
    clause: 'Errors',
    title: 'a body that is no call is answered 400 with an error, and never with a crash',
    async run({ probe, token }) {
      const bodies = ['', '{', 'null', '[]', '"text"', '{}', '{"method":7}', '{"method":null,"params":[]}'];
      const verdicts: Verdict[] = [];
      for (const body of bodies) {
        const reply = await probe({ method: '', token, body });
        const isFine = reply.status >= 400 && reply.status < 500 && isJsonObject(reply.json);
        verdicts.push(isFine ? pass : fail(`${JSON.stringify(body)}: ${brief(reply)}`));
      }
      return worst(verdicts);
    },
  },
  {
    id: 'odd-params',
    clause: 'Errors',
    title: 'odd arguments of a read-only tool are answered in JSON, with a status of the contract',
    async run(kit) {
      if (kit.readable === undefined) return skip('no tool is marked readOnlyHint');
      const call = readCall(kit);
      const odd = ['null', '[]', '"text"', '{"no_such_argument":{"deep":[1,2,3]}}', '{"__proto__":{"x":1}}'];
      const verdicts: Verdict[] = [];
      for (const params of odd) {
        const body = `{"method":${JSON.stringify(call.method)},"params":${params}}`;
        const reply = await kit.probe({ ...call, token: kit.token, body });
        verdicts.push(contractVerdict(`params ${params}`, reply));
      }
      return worst(verdicts);
    },
  },
  {
    id: 'unicode',
    clause: 'One endpoint',
    title: 'text of every kind goes in, and valid UTF-8 comes out',
    async run(kit) {
      if (kit.readable === undefined) return skip('no tool is marked readOnlyHint');
      const call = readCall(kit);
      const argument = argumentOf(kit);
      const replies = await Promise.all(
        texts.map((text) => kit.probe({ ...call, token: kit.token, params: { [argument]: text } })),
      );
      return worst(
        replies.map((reply, at) => contractVerdict(JSON.stringify(texts[at]?.slice(0, 20)), reply)),
      );
    },
  },
  {
    id: 'large-body',
    clause: 'Limits',
    title: 'a request of 2 MB is refused or answered, and the backend lives on',
    async run(kit) {
      const call = readCall(kit);
      const params = { padding: 'x'.repeat(largeBytes) };
      const reply = await kit.probe({ ...call, token: kit.token, params });
      const after = await kit.probe({ ...call, token: kit.token });
      if (after.status === 0 || after.status >= 500) return fail(`after it: ${brief(after)}`);
      if (reply.status === 0)
        return { outcome: 'warn', detail: `${brief(reply)}: better answer 413 with an error` };
      return reply.status >= 500 ? fail(brief(reply)) : pass;
    },
  },
  {
    id: 'long-method',
    clause: 'Limits',
    title: 'a method’s name of a million characters is refused without repeating it',
    async run({ probe, token }) {
      const reply = await probe({ method: 'm'.repeat(longName), token });
      if (reply.status === 0 || reply.status >= 500) return fail(brief(reply));
      return reply.text.length < 10_000 ? pass : fail(`the answer repeats ${reply.text.length} characters`);
    },
  },
  {
    id: 'in-time',
    clause: 'Headers',
    title: 'a call is answered within its X-Cortex-Deadline-Ms',
    async run(kit) {
      const reply = await kit.probe({ ...readCall(kit), token: kit.token });
      if (reply.status === 0) return fail(brief(reply));
      return { outcome: 'pass', detail: `${Math.round(reply.ms)} ms` };
    },
  },
  {
    id: 'at-once',
    clause: 'Limits',
    title: `${atOnce} calls at once are all answered, each to its own caller`,
    async run(kit) {
      const tokens = [kit.token, kit.otherToken ?? kit.token];
      const call = personalCall(kit);
      const alone: ProbeReply[] = [];
      // One after the other: at once is what comes next.
      for (const token of [...tokens, kit.token]) alone.push(await kit.probe({ ...call, token }));
      const expected = alone.map(({ json }) => canonicalJson(json));
      if (alone.some(({ status }) => status !== 200)) return skip('a good call does not succeed');
      if (expected[0] !== expected[2]) return skip(`${call.method} never answers the same`);
      const startedMs = performance.now();
      const replies = await Promise.all(
        Array.from({ length: atOnce }, async (_, at) => ({
          at,
          reply: await kit.probe({ ...call, token: tokens[at % 2] }),
        })),
      );
      const took = Math.round(performance.now() - startedMs);
      const bad = replies.find(({ reply }) => reply.status !== 200);
      if (bad !== undefined) return fail(brief(bad.reply));
      const mixed = replies.find(({ at, reply }) => canonicalJson(reply.json) !== expected[at % 2]);
      return mixed === undefined
        ? { outcome: 'pass', detail: `${took} ms` }
        : fail(`one answer differs from what its caller gets alone: ${brief(mixed.reply)}`);
    },
  },
  {
    id: 'get-help',
    clause: 'Methods',
    title: 'get_help answers in JSON, or says that it is unknown',
    async run({ probe, token }) {
      const reply = await probe({ method: 'get_help', token });
      if (isUnknownMethod(reply)) return { outcome: 'warn', detail: 'not offered: agents profit from it' };
      return reply.status === 200 && reply.json !== undefined ? pass : fail(brief(reply));
    },
  },
  {
    id: 'tool-kind',
    clause: 'Methods',
    title: 'what is called as a tool and is none is unknown, whatever methods there are',
    async run({ probe, token, tools }) {
      if (tools.some(({ name }) => name === 'whoami'))
        return { outcome: 'pass', detail: 'whoami is a tool here' };
      const reply = await probe({ method: 'whoami', token, headers: { 'x-cortex-kind': 'tool' } });
      if (isUnknownMethod(reply)) return pass;
      return { outcome: 'pass', detail: 'X-Cortex-Kind is ignored, as old backends do' };
    },
  },
];

/** 200 in JSON, or an error of the contract with its text. */
function contractVerdict(what: string, reply: ProbeReply): Verdict {
  if (reply.status === 200) return reply.json === undefined ? fail(`${what}: ${brief(reply)}`) : pass;
  const isError = [400, 403, 404, 409, 413, 422, 429, 500].includes(reply.status);
  const { json } = reply;
  const hasText = isJsonObject(json) && (typeof json.error === 'string' || isJsonObject(json.error));
  if (!isError || !hasText) return fail(`${what}: ${brief(reply)}`);
  return reply.status === 500 ? { outcome: 'warn', detail: `${what}: ${brief(reply)}` } : pass;
}

/** The first argument that takes text, else one of any name. */
function argumentOf({ readable }: Kit): string {
  const properties = readable?.inputSchema.properties;
  const named = isJsonObject(properties) ? Object.entries(properties) : [];
  const takesText = (schema: unknown) => isJsonObject(schema) && schema.type === 'string';
  return named.find(([, schema]) => takesText(schema))?.[0] ?? 'text';
}
