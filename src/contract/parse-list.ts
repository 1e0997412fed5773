import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** The definitions of one list answer, in code-unit order of their keys, and why others were left out. */
export interface ParsedList<T> {
  readonly definitions: readonly T[];
  readonly problems: readonly string[];
}

export interface ListShape<T> {
  /** The member of the answer that holds the list. */
  readonly member: string;
  /** What one definition is called in a problem. */
  readonly noun: string;
  /** The member that tells definitions apart. */
  readonly key: string;
  /** A definition, or why there is none; `note` reports what was ignored in one that stays. */
  readonly parse: (entry: JsonObject, note: (problem: string) => void) => Result<T, string>;
}

const maxKeyLength = 2_048;
const maxDepth = 64;
const maxProblems = 100;

/**
 * Parses the answer of a list method. An invalid definition is left out with a reason and takes nothing else with it;
 * an answer without the list is no answer at all, never an empty one.
 */
export function parseList<T>(
  answer: unknown,
  shape: ListShape<T>,
  maxDefinitions: number,
): Result<ParsedList<T>, string> {
  const list = isJsonObject(answer) ? answer[shape.member] : undefined;
  if (!Array.isArray(list)) return err(`the answer has no list named ${shape.member}`);
  const entries: readonly unknown[] = list;
  const found = new Map<string, T>();
  const problems: string[] = [];
  let unreported = 0;
  const report = (problem: string): void => {
    if (problems.length < maxProblems) problems.push(problem);
    else unreported++;
  };
  for (const [index, entry] of entries.entries()) {
    if (found.size >= maxDefinitions) {
      report(`${shape.noun}s after the first ${maxDefinitions}: left out, the limit is reached`);
      break;
    }
    const key = isJsonObject(entry) ? stringAt(entry, shape.key) : undefined;
    const label = `${shape.noun} ${key === undefined ? `#${index}` : JSON.stringify(key.slice(0, 80))}`;
    const parsed = parseEntry(entry, key, shape, (problem) => report(`${label}: ${problem}`));
    if (!parsed.ok) {
      report(`${label}: left out, ${parsed.error}`);
      continue;
    }
    if (key === undefined) continue;
    if (found.has(key)) {
      report(`${label}: left out, an earlier one has the same ${shape.key}`);
      continue;
    }
    found.set(key, parsed.value);
  }
  if (unreported > 0) problems.push(`${unreported} more problems`);
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return ok({ definitions: sorted.map(([, definition]) => definition), problems });
}

function parseEntry<T>(
  entry: unknown,
  key: string | undefined,
  shape: ListShape<T>,
  note: (problem: string) => void,
): Result<T, string> {
  if (!isJsonObject(entry)) return err('it is not an object');
  if (key === undefined || key === '') return err(`it has no ${shape.key}`);
  if (key.length > maxKeyLength) return err(`its ${shape.key} is longer than ${maxKeyLength} characters`);
  if (hasControlCharacter(key)) return err(`its ${shape.key} holds a control character`);
  if (isDeeperThan(entry, maxDepth)) return err(`it nests deeper than ${maxDepth} levels`);
  return shape.parse(entry, note);
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}
