import { printable, showFile } from '#config/issue.ts';
import { keyOriginsOf } from '#gateway-options.ts';
import { renewKeyRing } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import type { Invocation } from '../command.ts';
import { askGateway, controlPath } from '../control-client.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { keyPath, type RingName } from '../key-places.ts';
import { requireConfig } from '../require-config.ts';
import { requireRing } from '../require-ring.ts';

/** How long an older key is needed, for whoever takes its line out. */
const keptFor = {
  seal: 'a day: legacy sessions that it sealed live that long',
  audit: 'as long as you want to know whose older pseudonyms are',
  checkpoint: 'as long as checkpoints that it signed are kept (audit.retention)',
  assertion: 'a minute after the restart',
} as const satisfies Record<Exclude<RingName, 'vault'>, string>;

/** Puts a new key above those of a generated ring. Exit code 1: that ring is the operator's to change. */
export async function keysRotate(invocation: Invocation): Promise<number> {
  const { args, options, output, terminal } = invocation;
  const name = requireRing(args[0] ?? '');
  if (name === 'vault') return (await import('./vault-rotate.ts')).vaultRotate(invocation);
  const forgetsOld = options.has('forget-old');
  if (forgetsOld && (name === 'audit' || name === 'checkpoint'))
    throw new UserError(`what older ${name} keys signed or named could not be read any more`, {
      next: `keep them for ${keptFor[name]}; then take their lines out of the file`,
    });
  const { config } = await requireConfig(invocation, false);
  const renewed = renewKeyRing(config.keys.dir, name, keyOriginsOf(config)[name], forgetsOld);
  const file = keyPath(config, name);
  if (!renewed.ok) {
    if (renewed.error === 'kept_elsewhere')
      throw new UserError(`${file} is a file of yours: nothing was changed`, {
        exitCode: exitCodes.no,
        next: `put a new line above the others (openssl rand -base64 32), then restart the gateway`,
      });
    throw new UserError(describeKeyProblem(renewed.error), {
      next:
        renewed.error.reason === 'missing'
          ? `there is nothing to rotate; to make it: cortex keys generate ${name}`
          : 'run it as the gateway’s user, with the gateway’s configuration',
    });
  }
  const isRunning = (await askGateway(controlPath(config.stateDir), 'GET', '/status')) !== undefined;
  const older = renewed.value.all.slice(1).map(({ id }) => id);
  const { id: newest } = renewed.value.newest;
  if (output.isJson) {
    output.document({ name, file, newest, older, restart_needed: isRunning });
    return exitCodes.done;
  }
  output.line(`${name}: ${newest} is the newest key in ${printable(showFile(file, terminal.cwd))}`);
  if (older.length > 0) output.note(`Older: ${older.join(', ')}. Keep the last one for ${keptFor[name]}.`);
  if (name === 'audit') output.note('Every pseudonym changes with the new key.');
  output.note(
    isRunning
      ? 'The running gateway has the keys it started with: restart it.'
      : 'The gateway takes it at its next start.',
  );
  return exitCodes.done;
}
