import { isJsonObject, type JsonObject } from '#kernel/json.ts';

type Check = (value: unknown) => boolean;
const isString: Check = (value) => typeof value === 'string';

const memberTypes: Readonly<Record<string, readonly [Check, string]>> = {
  title: [isString, 'a string'],
  description: [isString, 'a string'],
  mimeType: [isString, 'a string'],
  annotations: [isJsonObject, 'an object'],
  icons: [(value) => Array.isArray(value) && value.every(isJsonObject), 'a list of objects'],
  _meta: [isJsonObject, 'an object'],
};

/**
 * Why a definition's common MCP members would make a client reject the whole list, or undefined. Members it does not
 * know pass as they are.
 */
export function memberProblem(entry: JsonObject): string | undefined {
  for (const [member, [isType, type]] of Object.entries(memberTypes)) {
    if (entry[member] !== undefined && !isType(entry[member])) return `${member} is not ${type}`;
  }
  return undefined;
}

/** A definition as it goes to clients: without the members named. */
export function without(entry: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(entry).filter(([member]) => !members.includes(member)));
}
