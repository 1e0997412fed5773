import { printable } from '#config/issue.ts';
import { isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, type Output } from '../output.ts';
import { askVault } from '../vault-source.ts';

/** Turns the keys. Exit code 1: not everything could be sealed anew, or older keys could not be forgotten. */
export async function vaultRotate(invocation: Invocation): Promise<number> {
  const { options, output } = invocation;
  const answer = await askVault(invocation, 'rotate', { forgetOld: options.has('forget-old') });
  if (output.isJson) output.document(answer);
  else tell(answer, output);
  const isWhole = answer.unreadable === 0 && answer.kept === undefined;
  return isWhole ? exitCodes.done : exitCodes.no;
}

function tell(answer: JsonObject, output: Output): void {
  const made = answer.isRenewed === true ? 'a new key' : 'the newest key of the ring';
  const path = printable(stringAt(answer, 'path') ?? 'the value of keys.vault');
  output.line(
    `sealed ${count(number(answer, 'resealed'), 'key')} anew with ${stringAt(answer, 'newest')}, ${made}`,
  );
  if (answer.isRenewed !== true) {
    output.note(`the key is yours to make: put a new one first in ${path}, then do this again`);
  }
  const unreadable = number(answer, 'unreadable');
  if (unreadable > 0)
    output.warn(`${count(unreadable, 'key')} could not be opened with the ring: see cortex vault status`);
  if (answer.kept === 'still_needed') {
    output.warn('something was still being sealed with an older key: try again');
  } else if (answer.kept === 'kept_elsewhere') {
    output.warn(`the older keys are yours to remove from ${path}`);
  }
  const older = isStringArray(answer.older) ? answer.older : [];
  if (older.length > 0) {
    output.note(`backups from before stay readable with ${older.join(', ')} until that is gone`);
  }
}

function number(object: JsonObject, key: string): number {
  const value = object[key];
  return typeof value === 'number' ? value : 0;
}
