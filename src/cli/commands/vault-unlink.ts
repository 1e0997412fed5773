import { printable } from '#config/issue.ts';
import { stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { askVault, userOf } from '../vault-source.ts';

/** Unlinks one user's account at one server. */
export async function vaultUnlink(invocation: Invocation): Promise<number> {
  const { args, output } = invocation;
  const server = args[0] ?? '';
  const answer = await askVault(invocation, 'unlink', { server, ...userOf(invocation) });
  if (output.isJson) {
    output.document(answer);
    return exitCodes.done;
  }
  const whose = stringAt(answer, 'subject');
  output.line(`unlinked ${whose === undefined ? 'the only account' : printable(whose)} from ${server}`);
  if (answer.wasRevoked === true) output.note('the provider has revoked the tokens');
  else output.warn('the provider did not revoke the tokens: they end by themselves, or in the account there');
  return exitCodes.done;
}
