import { printable } from '#config/issue.ts';
import { stringAt } from '#kernel/json.ts';
import type { Invocation } from './command.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { Answer } from './gateway-client.ts';

const pollMs = 1_500;
/** As long as the link is good. */
const waitMs = 10 * 60_000;

/** Asks until there is a link that was not there before. */
export async function untilLinked(ask: () => Promise<Answer>, before: string | undefined): Promise<Answer> {
  const end = performance.now() + waitMs;
  while (performance.now() < end) {
    const status = await ask();
    if (status.body.state === 'linked' && stringAt(status.body, 'linked_at') !== before) return status;
    await Bun.sleep(pollMs);
  }
  throw new UserError('nothing was linked within ten minutes', {
    exitCode: exitCodes.no,
    next: 'run it again',
  });
}

export function tellLinked({ output }: Invocation, server: string, { body }: Answer): number {
  const account = stringAt(body, 'account');
  if (output.isJson) output.document({ server, state: 'linked', account, linked_at: body.linked_at });
  else output.line(`linked ${server}${account === undefined ? '' : ` as ${printable(account)}`}`);
  return exitCodes.done;
}
