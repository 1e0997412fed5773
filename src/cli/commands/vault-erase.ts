import { printable } from '#config/issue.ts';
import { isJsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../output.ts';
import { askVault } from '../vault-source.ts';

/** Erases a user from the vault and from the names of the audit. */
export async function vaultErase(invocation: Invocation): Promise<number> {
  const { args, options, output } = invocation;
  const answer = await askVault(invocation, 'erase', { user: args[0], issuer: options.text('issuer') });
  if (output.isJson) {
    output.document(answer);
    return exitCodes.done;
  }
  const servers = Array.isArray(answer.servers) ? answer.servers.filter(isJsonObject) : [];
  const name = `${printable(stringAt(answer, 'subject') ?? '-')} of ${printable(stringAt(answer, 'issuer') ?? '-')}`;
  output.line(`erased ${name}: ${count(servers.length, 'grant')}, the key, and the name in the audit`);
  for (const server of servers) {
    const id = stringAt(server, 'server') ?? '-';
    if (server.wasRevoked !== true) output.warn(`${id} did not revoke the tokens: they end by themselves`);
  }
  output.warn(
    'backups stay readable until the key ring has turned past them: cortex vault rotate --forget-old',
  );
  return exitCodes.done;
}
