import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** What a backend may ask of the user, and the client capability each needs. Source: MCP 2026-07-28 patterns/mrtr. */
const capabilityOf: ReadonlyMap<string, string> = new Map([
  ['elicitation/create', 'elicitation'],
  ['sampling/createMessage', 'sampling'],
  ['roots/list', 'roots'],
]);
/** The parts of each capability that decide what may be asked. */
const partsOf: Readonly<Record<string, readonly string[]>> = {
  elicitation: ['form', 'url'],
  sampling: ['tools', 'context'],
  // A change of the roots is not relayed, so `listChanged` is none of them.
  roots: [],
};

const nothing: JsonObject = {};

export interface Question {
  readonly key: string;
  readonly method: string;
  readonly params: JsonObject;
}

/** The questions of an `inputRequests` map; err: what is wrong with it, for the log and the agent. */
export function parseQuestions(inputRequests: JsonObject | undefined): Result<readonly Question[], string> {
  const questions: Question[] = [];
  for (const [key, value] of Object.entries(inputRequests ?? {})) {
    if (!isJsonObject(value) || typeof value.method !== 'string')
      return err(`its question "${key}" is malformed`);
    if (!capabilityOf.has(value.method)) return err(`it may not ask "${value.method}"`);
    questions.push({ key, method: value.method, params: isJsonObject(value.params) ? value.params : {} });
  }
  return ok(questions);
}

/** What the questions need and the client has not declared; undefined when nothing is missing. */
export function missingCapabilities(
  questions: readonly Question[],
  declared: JsonObject,
): JsonObject | undefined {
  const missing: Record<string, JsonObject> = {};
  for (const { method, params } of questions) {
    const name = capabilityOf.get(method);
    if (name === undefined) continue;
    const part = neededPart(name, params);
    if (declares(declared[name], part)) continue;
    missing[name] = { ...missing[name], ...(part !== undefined && { [part]: {} }) };
  }
  return Object.keys(missing).length === 0 ? undefined : missing;
}

/** The part of a capability that one question needs. */
function neededPart(name: string, params: JsonObject): string | undefined {
  if (name === 'elicitation') return params.mode === 'url' ? 'url' : 'form';
  return name === 'sampling' && params.tools !== undefined ? 'tools' : undefined;
}

/** An empty `elicitation` declares forms. Source: MCP 2025-11-25 client/elicitation. */
function declares(held: unknown, part: string | undefined): boolean {
  if (!isJsonObject(held)) return false;
  if (part === 'form' && Object.keys(held).length === 0) return true;
  return part === undefined || isJsonObject(held[part]);
}

/** The client's answers: a map of objects. Err: refused as invalid parameters. */
export function parseInputResponses(value: unknown): Result<JsonObject | undefined, string> {
  if (value === undefined) return ok(undefined);
  if (!isJsonObject(value)) return err('inputResponses is not an object');
  for (const answer of Object.values(value)) {
    if (!isJsonObject(answer)) return err('inputResponses holds an answer that is not an object');
  }
  return ok(value);
}

/**
 * The capabilities that can be relayed, reduced to the parts that decide something: extensions and everything
 * unknown are dropped (R27), so that what is sealed into a session id stays small.
 */
export function relayedCapabilities(declared: JsonObject): JsonObject {
  if (Object.keys(declared).length === 0) return nothing;
  const kept: Record<string, JsonObject> = {};
  for (const [name, parts] of Object.entries(partsOf)) {
    const value = declared[name];
    if (!isJsonObject(value)) continue;
    const held = parts.filter((part) => value[part] !== undefined && value[part] !== false);
    kept[name] = Object.fromEntries(held.map((part) => [part, {}]));
  }
  return kept;
}
