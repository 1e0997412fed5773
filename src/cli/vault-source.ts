import type { JsonObject } from '#kernel/json.ts';
import type { VaultAction } from '#vault/vault-desk.ts';
import { askOperation } from './ask-operation.ts';
import type { Invocation } from './command.ts';
import { controlPath } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { requireConfig } from './require-config.ts';

/** Revoking at providers takes its time. */
const timeoutMs = 180_000;

const nextSteps: Readonly<Record<string, string>> = {
  unknown_user: 'it is the `sub` of the user’s token; see who has linked something: cortex vault list',
  several_users: 'name one: --user <subject>; see who: cortex vault list',
  several_issuers: 'name one: --issuer <url>',
  not_denied: 'see the gateway’s log, put it right, then erase again',
  not_linked: 'see what is linked: cortex vault list',
};

/** Asks the vault of the running gateway, else opens the vault itself. A refusal is a {@link UserError}. */
export async function askVault(
  invocation: Invocation,
  action: VaultAction,
  input: JsonObject,
): Promise<JsonObject> {
  const { config } = await requireConfig(invocation, false);
  const path = controlPath(config.stateDir);
  let outcome = await askOperation(path, `/vault/${action}`, input, timeoutMs);
  if (outcome === undefined) {
    const { withLocalVault } = await import('./local-vault.ts');
    outcome = await invocation.output.during('opening the vault', () =>
      withLocalVault(config, (desk) => desk.handle(action, input, 'local')),
    );
  }
  if (outcome.ok) return outcome.value;
  throw refused(outcome.error.reason, outcome.error.message);
}

function refused(reason: string, message: string): UserError {
  const next = nextSteps[reason];
  return new UserError(message, { exitCode: exitCodes.no, ...(next === undefined ? {} : { next }) });
}

/** The user that the options name, as the vault takes it. */
export function userOf({ options }: Invocation): JsonObject {
  return { user: options.text('user'), issuer: options.text('issuer') };
}
