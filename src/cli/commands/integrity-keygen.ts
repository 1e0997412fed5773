import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { newKeyLine } from '#keys/key-file.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSigner } from '#keys/signer.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

/** Makes a key pair: the private half into a new file, the public one to stdout. */
export async function integrityKeygen({ args, output, terminal }: Invocation): Promise<number> {
  const file = resolve(terminal.cwd, args[0] ?? '');
  const line = newKeyLine();
  const ring = parseKeyRing(line);
  if (!ring.ok) throw new Error('a new key that is none');
  await writeFile(file, line, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    throw new UserError(
      `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      {
        next: 'name a file that is not there yet',
      },
    );
  });
  const [publicKey = ''] = createSigner(ring.value).publicKeys;
  if (output.isJson) output.document({ file, publicKey });
  else output.line(publicKey);
  output.note(
    `The private key is in ${file}. Into the gateway’s configuration goes integrity.public_key: ${publicKey}`,
  );
  return exitCodes.done;
}
