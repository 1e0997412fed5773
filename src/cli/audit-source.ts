import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '#config/config.ts';
import { openKeyRing } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { createSigner, createVerifier, type Verifier } from '#keys/signer.ts';
import type { Invocation } from './command.ts';
import { UserError } from './errors.ts';
import { requireConfig } from './require-config.ts';

/** Where the records are, and the keys that their checkpoints must be signed with. */
export interface AuditSource {
  readonly dir: string;
  readonly verifier: Verifier;
  /** Newest first. */
  readonly publicKeys: readonly string[];
}

/** With `--dir` and `--public-key` no configuration is read; else what is not given comes from it. */
export async function findAudit(invocation: Invocation): Promise<AuditSource> {
  const { options, terminal } = invocation;
  const givenDir = options.text('dir');
  const givenKeys = options.list('public-key');
  const isComplete = givenDir !== undefined && givenKeys.length > 0;
  const config = isComplete ? undefined : (await requireConfig(invocation, false)).config;
  const dir = resolve(terminal.cwd, givenDir ?? config?.audit.dir ?? '.');
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError(`there is no audit in ${dir}`, { next: 'look at audit.dir in: cortex check' });
  }
  const publicKeys = config === undefined || givenKeys.length > 0 ? givenKeys : ownPublicKeys(config);
  const verifier = createVerifier(publicKeys);
  if (verifier.ok) return { dir, verifier: verifier.value, publicKeys };
  throw new UserError('--public-key takes 43 characters of base64url', {
    next: 'on the gateway’s machine `cortex audit verify` shows it',
  });
}

function ownPublicKeys(config: Config): readonly string[] {
  const ring = openKeyRing(config.keys.dir, 'checkpoint', config.keys.checkpoint, 'read');
  if (ring.ok) return createSigner(ring.value).publicKeys;
  throw new UserError(describeKeyProblem(ring.error), {
    next: 'run it as the gateway’s user, or give the public key: --public-key <key>',
  });
}
