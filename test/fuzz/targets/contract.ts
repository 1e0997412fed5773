import fc from 'fast-check';
import { expect } from 'vitest';
import { assignNames, type NameCandidate } from '#catalog/naming.ts';
import { parseCompletion } from '#contract/parse-completion.ts';
import { parseErrorBody } from '#contract/parse-error-body.ts';
import { parseInputRequired } from '#contract/parse-input-required.ts';
import { parsePrompts } from '#contract/parse-prompts.ts';
import { parseResources, parseResourceTemplates } from '#contract/parse-resources.ts';
import { parseStreamEvent } from '#contract/parse-stream-event.ts';
import { parseTools } from '#contract/parse-tools.ts';
import { isJsonObject, isStringArray, parseJson } from '#kernel/json.ts';
import { backendId } from '../../catalog/samples.ts';
import { type Target, textOf } from './target.ts';
import { anyText } from './wire.ts';

const name = fc.oneof(anyText, fc.constantFrom('read', 'list', '__proto__', 'constructor', '', 'a b'));
const scope = fc.oneof(fc.constantFrom('mcp:read', 'a b', ['a', 'b'], [], null, 'a"b'), fc.jsonValue());
const definition = fc.record(
  {
    name,
    uri: name,
    uriTemplate: name,
    scope,
    description: fc.oneof(anyText, fc.jsonValue()),
    params: fc.oneof(
      fc.dictionary(name, fc.constantFrom('string', 'number?', 'boolean[]', 'x')),
      fc.jsonValue(),
    ),
    inputSchema: fc.oneof(fc.constant({ type: 'object' }), fc.jsonValue()),
    annotations: fc.oneof(fc.constant({ readOnlyHint: true }), fc.jsonValue()),
    arguments: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const list = fc.array(fc.oneof({ weight: 4, arbitrary: definition }, fc.jsonValue()), { maxLength: 6 });

const parsers = [
  ['tools', parseTools, 'name'],
  ['prompts', parsePrompts, 'name'],
  ['resources', parseResources, 'uri'],
  ['resourceTemplates', parseResourceTemplates, 'uriTemplate'],
] as const;

const lists: Target = {
  name: 'contract-lists',
  promise: 'leaves out what is no definition and says why, whatever stands beside it',
  runs: 1_000,
  inputs: list.map((all) =>
    JSON.stringify({ tools: all, prompts: all, resources: all, resourceTemplates: all }),
  ),
  holds(input) {
    const parsed = parseJson(textOf(input));
    if (!parsed.ok) return;
    for (const [member, parse, key] of parsers) {
      const read = parse(parsed.value, 4);
      if (!read.ok) continue;
      const { definitions, problems } = read.value;
      expect(definitions.length).toBeLessThanOrEqual(4);
      const keys = definitions.map((one) => new Map(Object.entries(one)).get(key));
      expect(keys).toEqual([...new Set(keys)].sort((a, b) => (String(a) < String(b) ? -1 : 1)));
      for (const one of definitions) {
        expect(isStringArray(one.scopes)).toBe(true);
        for (const needed of one.scopes) expect(needed).toMatch(/^[!#-[\]-~]+$/);
        expect(isJsonObject(JSON.parse(JSON.stringify(one.wire)))).toBe(true);
      }
      const entries = isJsonObject(parsed.value) ? parsed.value[member] : undefined;
      const given = Array.isArray(entries) ? entries.length : 0;
      if (definitions.length < Math.min(given, 4)) expect(problems.length).toBeGreaterThan(0);
    }
  },
};

const answers: Target = {
  name: 'contract-answers',
  promise: 'are read as what they are or as nothing',
  runs: 3_000,
  inputs: fc
    .dictionary(
      fc.constantFrom(
        'error',
        'required',
        'message',
        'values',
        'total',
        'hasMore',
        'resultType',
        'inputRequests',
        'requestState',
        'progress',
        'level',
        'data',
      ),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom<fc.JsonValue>('input_required', 'info', ['a'], 3, { message: 'no' }),
      ),
      { maxKeys: 6 },
    )
    .map((value) => JSON.stringify(value)),
  holds(input) {
    const text = textOf(input);
    const error = parseErrorBody(text);
    if (error !== undefined) {
      expect(error.message).not.toBe('');
      expect((error.message ?? '').length).toBeLessThanOrEqual(4_000);
      expect(error.requiredScopes?.length).not.toBe(0);
    }
    for (const event of ['progress', 'log', 'other']) parseStreamEvent(event, text);
    const parsed = parseJson(text);
    if (!parsed.ok) return;
    parseInputRequired(parsed.value);
    const completion = parseCompletion(parsed.value);
    if (completion.ok) {
      expect(completion.value.values.length).toBeLessThanOrEqual(100);
      expect(Number.isNaN(completion.value.total)).toBe(false);
    }
  },
};

const naming: Target = {
  name: 'naming',
  promise: 'gives each name one owner and leads back to it, whatever the tools call themselves',
  runs: 2_000,
  inputs: fc
    .array(fc.tuple(fc.constantFrom('a', 'a_b', 'b'), fc.constantFrom('a', 'a_b', ''), name), {
      maxLength: 8,
    })
    .map((all) => JSON.stringify(all)),
  holds(input) {
    const parsed = parseJson(textOf(input));
    const entries: readonly unknown[] = parsed.ok && Array.isArray(parsed.value) ? parsed.value : [];
    const candidates: NameCandidate[] = [];
    for (const entry of entries) {
      if (!isStringArray(entry)) continue;
      const [id = '', prefix = '', ownName = ''] = entry;
      if (/^[a-z][a-z0-9_]{0,20}$/.test(id)) candidates.push({ id: backendId(id), prefix, ownName });
    }
    const rules = { maxLength: 48, reserved: new Set(['whoami']) };
    const first = assignNames('tool', candidates, new Map(), rules, 1);
    expect(first.assigned.size + first.refused.length).toBe(candidates.length);
    for (const [publicName, owner] of first.assigned) {
      expect(publicName).toMatch(/^[A-Za-z0-9_-]{1,48}$/);
      expect(publicName.startsWith(owner.prefix)).toBe(true);
      expect(publicName).not.toBe('whoami');
    }
    // Whoever has a name keeps it, in whatever order they are listed next time.
    const table = new Map(first.changed.map((record) => [`${record.kind}:${record.publicName}`, record]));
    const again = assignNames('tool', candidates.toReversed(), table, rules, 2);
    const told = (assigned: typeof again.assigned) =>
      [...assigned].map(([publicName, owner]) => [publicName, owner.id, owner.ownName]);
    expect(told(again.assigned)).toEqual(told(first.assigned));
  },
};

export const contractTargets: readonly Target[] = [lists, answers, naming];
