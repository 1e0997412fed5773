import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { printable, showFile } from '#config/issue.ts';
import { readOrCreateKeyFile } from '#keys/key-file.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { keyPath, type RingName, reportKey, ringNames } from '../key-places.ts';
import { requireConfig } from '../require-config.ts';
import { requireRing } from '../require-ring.ts';

/** Makes key files that are not there yet. Nothing is replaced, and no key is shown. */
export async function keysGenerate(invocation: Invocation): Promise<number> {
  const { args, options, output, terminal } = invocation;
  const [given] = args;
  const made: { readonly name: RingName | null; readonly file: string }[] = [];
  const out = options.text('out');
  if (out !== undefined) {
    if (given !== undefined)
      throw new UserError('--out makes a key for no use yet', {
        next: 'leave out the name, or leave out --out',
      });
    const file = resolve(terminal.cwd, out);
    if (isThere(file)) throw new UserError(`${file} is there already`, { next: 'name a file that is not' });
    make(file);
    made.push({ name: null, file });
  } else {
    const { config, mayRunCommands: hasSecrets } = await requireConfig(invocation, false);
    const named = given === undefined ? undefined : requireRing(given);
    for (const name of named === undefined ? ringNames : [named]) {
      const report = await reportKey(config, name, hasSecrets);
      if (report.state === 'ready') continue;
      // A file that the configuration names is made only when it is asked for: its path may be mistyped.
      const file = keyPath(config, name);
      if (report.state === 'wrong' && (named === undefined || isThere(file)))
        throw new UserError(report.problem ?? `${name} cannot be used`, {
          next: named === undefined && !isThere(file) ? `cortex keys generate ${name}` : 'put it right first',
        });
      make(file);
      made.push({ name, file });
    }
  }
  if (output.isJson) output.document({ made });
  else {
    for (const { name, file } of made)
      output.line(`made ${name === null ? '' : `${name}: `}${printable(showFile(file, terminal.cwd))}`);
    if (made.length === 0) output.note('Every key is there; see: cortex keys list');
    else output.note('Back them up apart from the data: together they undo the pseudonyms.');
  }
  return exitCodes.done;
}

function make(file: string): void {
  const text = readOrCreateKeyFile(file);
  if (!text.ok)
    throw new UserError(describeKeyProblem({ key: 'seal', reason: text.error, path: file }), {
      next: 'run it as the gateway’s user, or name another place in keys.dir',
    });
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
