import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { signInPerson } from '../person-sign-in.ts';
import { fail, type Known, ok, type Step, unreachable } from './finding.ts';

/** Registers, signs a person in and gets a token, as a client that knows nothing but the URL does. */
export function signInStep(invocation: Invocation): Step {
  return {
    name: 'sign-in',
    async run({ url }: Known) {
      const gateway = createGatewayClient(url);
      try {
        const { tokens, callback } = await signInPerson(gateway, invocation);
        callback.respond({
          title: 'You are signed in',
          text: 'The command goes on. You can close this page.',
        });
        await callback.close();
        return ok('a token was given', { learned: { token: tokens.accessToken.reveal() } });
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const fix = error.next ?? 'run it again';
        return error.exitCode === exitCodes.unreachable
          ? unreachable(error.message, fix)
          : fail(error.message, fix);
      } finally {
        await gateway.close();
      }
    },
  };
}
