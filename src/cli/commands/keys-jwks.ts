import { keyOriginsOf } from '#gateway-options.ts';
import { openKeyRing } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { assertionKeysOf } from '../key-places.ts';
import { requireConfig } from '../require-config.ts';

/** Prints the key set that backends verify assertions with, as the gateway serves it. */
export async function keysJwks(invocation: Invocation): Promise<number> {
  const { config } = await requireConfig(invocation, false);
  const ring = openKeyRing(config.keys.dir, 'assertion', keyOriginsOf(config).assertion, 'read');
  if (!ring.ok)
    throw new UserError(describeKeyProblem(ring.error), {
      exitCode: exitCodes.no,
      next: 'to make it: cortex keys generate assertion',
    });
  invocation.output.document({ keys: assertionKeysOf(ring.value).map((key) => ({ ...key })) });
  return exitCodes.done;
}
