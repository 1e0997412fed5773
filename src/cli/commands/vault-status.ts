import { printable } from '#config/issue.ts';
import { isJsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { askVault } from '../vault-source.ts';

/** Shows the keys and what needs which. Exit code 1: something needs a key that is not there. */
export async function vaultStatus(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const answer = await askVault(invocation, 'status', {});
  const keys = Array.isArray(answer.keys) ? answer.keys.filter(isJsonObject) : [];
  const isWhole = keys.every((key) => key.isInRing === true);
  const exitCode = isWhole ? exitCodes.done : exitCodes.no;
  if (output.isJson) {
    output.document(answer);
    return exitCode;
  }
  const place = stringAt(answer, 'path') ?? 'the value of keys.vault.key';
  output.line(`keys    ${printable(place)} (${stringAt(answer, 'place') ?? '-'})`);
  output.line(`users   ${answer.users}`);
  output.line(`grants  ${answer.grants}, of which ${answer.dead} must be linked again`);
  const rows = keys.map((key, index) => [
    `key     ${stringAt(key, 'id') ?? '-'}`,
    key.isInRing === true ? (index === 0 ? 'newest' : 'older') : 'MISSING',
    `opens ${key.seals}`,
  ]);
  output.table({ rows });
  if (!isWhole) output.warn('put the missing key below the others, where the keys come from');
  return exitCode;
}
