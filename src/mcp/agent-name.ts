import { isJsonObject, stringAt } from '#kernel/json.ts';

const MAX_LENGTH = 128;

/** What a client calls itself, as `name/version`, bounded: for the audit and for display only. */
export function agentName(clientInfo: unknown): string | undefined {
  if (!isJsonObject(clientInfo)) return undefined;
  const name = stringAt(clientInfo, 'name');
  if (name === undefined || name === '') return undefined;
  const version = stringAt(clientInfo, 'version');
  return (version === undefined ? name : `${name}/${version}`).slice(0, MAX_LENGTH);
}
