import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { writeBaselineFile } from '#integrity/baseline-file.ts';
import { readUnverified, writeBaseline } from '#integrity/baseline-text.ts';
import { printOf } from '#integrity/definition-fields.ts';
import { contentOf } from '#integrity/pin.ts';
import { systemClock } from '#kernel/clock.ts';
import { readKeyFile } from '#keys/key-file.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSigner, type Signer } from '#keys/signer.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../output.ts';
import { visibleText } from '../visible-text.ts';

/** Signs a draft off the host. Exit code 1: a fingerprint is not that of the text beside it. */
export async function integritySign({ args, options, output, terminal }: Invocation): Promise<number> {
  const at = (path: string) => resolve(terminal.cwd, path);
  const [draft, key, out] = [args[0], options.text('key'), options.text('out')];
  if (draft === undefined || key === undefined || out === undefined) {
    throw new UserError('sign takes a draft, --key and --out', { next: 'cortex help integrity sign' });
  }
  const signer = signerOf(at(key));
  const text = await readFile(at(draft), 'utf8').catch(() => {
    throw new UserError(`${at(draft)} cannot be read`, { next: 'name the file that approve --draft wrote' });
  });
  const read = readUnverified(text);
  if (!read.ok) {
    throw new UserError(`${at(draft)} is no baseline`, { next: 'name the file that approve --draft wrote' });
  }
  const pins = [...read.value.pins.values()].flat();
  let withoutText = 0;
  for (const pin of pins) {
    const content = contentOf(pin);
    if (content.kind === 'prints') withoutText += 1;
    else if (printOf(pin.kind, content.fields) !== pin.print) {
      const name = `${pin.kind} ${visibleText(pin.name)} of ${visibleText(pin.backend)}`;
      throw new UserError(
        `the fingerprint of ${name} is not that of its text: somebody has tampered with the draft`,
        {
          exitCode: exitCodes.no,
          next: 'sign nothing, and look at the machine it came from',
        },
      );
    }
  }
  const signed = { ...read.value, at: Math.max(systemClock.now(), read.value.at + 1) };
  await writeBaselineFile(at(out), writeBaseline(signed, signer));
  if (output.isJson) output.document({ file: at(out), items: pins.length, withoutText, key: signer.keyId });
  else output.line(`signed ${count(pins.length, 'definition')} into ${at(out)}`);
  if (withoutText > 0) {
    output.warn(
      `${count(withoutText, 'definition')} of single persons’ lists came as fingerprints, without a text to read`,
    );
  }
  return exitCodes.done;
}

function signerOf(file: string): Signer {
  const text = readKeyFile(file);
  const ring = text.ok ? parseKeyRing(text.value) : text;
  if (ring.ok) return createSigner(ring.value);
  throw new UserError(`${file} is no private key that can be used here (${ring.error})`, {
    next: 'it is what cortex integrity keygen has made, and nobody else may read it (chmod 600)',
  });
}
