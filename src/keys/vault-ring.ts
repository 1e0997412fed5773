import { statSync } from 'node:fs';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { KeyProblem } from './inventory.ts';
import { newKeyLine, ownerOnly, readKeyFile, readOrCreateKeyFile, replaceKeyFile } from './key-file.ts';
import { type Key, type KeyRing, parseKeyRing } from './key-ring.ts';
import { createKeychain, type Keychain } from './keychain.ts';

/** Where the vault's keys may be. The first that is there counts. */
export interface VaultKeySources {
  readonly text: Secret | undefined;
  /** The operator's file. */
  readonly file: string | undefined;
  /** Where a systemd credential and a Docker secret would lie; each counts if it exists. */
  readonly credential: string | undefined;
  readonly dockerSecret: string | undefined;
  /** Whether the keychain of the system was asked for. */
  readonly keychain: boolean;
  /** Made where there is nothing else. */
  readonly generated: string;
}

export type VaultKeyPlace = 'text' | 'file' | 'credential' | 'docker_secret' | 'keychain' | 'generated';

/**
 * The vault's key ring. A file is read again when it has changed, so processes that share one follow a rotation. A
 * key that was seen stays in `all` until `forgetOld`, even if its line goes.
 */
export interface VaultRing extends KeyRing {
  readonly place: VaultKeyPlace;
  readonly path: string | undefined;
  /** Makes a new key the newest. `kept_elsewhere`: only the operator can add one there. */
  renew(): Promise<Result<void, 'kept_elsewhere'>>;
  /** Drops every key but the newest, for good. */
  forgetOld(): Promise<Result<void, 'kept_elsewhere'>>;
}

/**
 * Opens the vault's ring. Only a file that nobody named is made, and only with `create`. What is wrong with a file that
 * changed later goes to `onProblem`, and the ring stays as it was.
 */
export async function openVaultRing(
  sources: VaultKeySources,
  how: 'read' | 'create',
  deps: { readonly keychain?: Keychain; readonly onProblem?: (problem: KeyProblem) => void } = {},
): Promise<Result<VaultRing, KeyProblem>> {
  const { keychain = createKeychain(), onProblem = () => {} } = deps;
  if (sources.text !== undefined) return fixedRing(sources.text.reveal());
  const file = existingFile(sources);
  if (file !== undefined) return fileRing(file, () => readKeyFile(file.path, file.forbiddenMode), onProblem);
  if (sources.keychain) return keychainRing(keychain, how);
  const path = sources.generated;
  const mayCreate = how === 'create';
  return fileRing(
    { place: 'generated', path, forbiddenMode: ownerOnly },
    () => (mayCreate ? readOrCreateKeyFile(path) : readKeyFile(path)),
    onProblem,
  );
}

interface KeyFile {
  readonly place: VaultKeyPlace;
  readonly path: string;
  readonly forbiddenMode: number;
}

function existingFile({ file, credential, dockerSecret }: VaultKeySources): KeyFile | undefined {
  if (file !== undefined) return { place: 'file', path: file, forbiddenMode: ownerOnly };
  // systemd grants its service the file by an access list, whose mask shows as the group's right to read.
  if (isThere(credential)) return { place: 'credential', path: credential, forbiddenMode: 0o037 };
  if (isThere(dockerSecret)) return { place: 'docker_secret', path: dockerSecret, forbiddenMode: ownerOnly };
  return undefined;
}

function isThere(path: string | undefined): path is string {
  return path !== undefined && statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function parse(text: string, path: string | undefined): Result<KeyRing, KeyProblem> {
  const ring = parseKeyRing(text);
  return ring.ok ? ring : err({ key: 'vault', reason: ring.error, path });
}

const keptElsewhere = async () => err('kept_elsewhere' as const);

function fixedRing(text: string): Result<VaultRing, KeyProblem> {
  const ring = parse(text, undefined);
  if (!ring.ok) return ring;
  return ok({
    ...ring.value,
    place: 'text',
    path: undefined,
    renew: keptElsewhere,
    forgetOld: keptElsewhere,
  });
}

function fileRing(
  { place, path, forbiddenMode }: KeyFile,
  open: () => ReturnType<typeof readKeyFile>,
  onProblem: (problem: KeyProblem) => void,
): Result<VaultRing, KeyProblem> {
  const read = (text: ReturnType<typeof readKeyFile>): Result<KeyRing, KeyProblem> =>
    text.ok ? parse(text.value, path) : err({ key: 'vault', reason: text.error, path });
  const first = read(open());
  if (!first.ok) return first;
  let held = first.value;
  let stamp = stampOf(path);

  const take = (next: KeyRing, kept: readonly Key[]): void => {
    const known = new Set(next.all.map((key) => key.id));
    held = { newest: next.newest, all: [...next.all, ...kept.filter((key) => !known.has(key.id))] };
  };
  const current = (): KeyRing => {
    const now = stampOf(path);
    if (now === stamp) return held;
    stamp = now;
    const next = read(readKeyFile(path, forbiddenMode));
    if (next.ok) take(next.value, held.all);
    else onProblem(next.error);
    return held;
  };
  const rewrite = (text: string, kept: readonly Key[]): Result<void, never> => {
    replaceKeyFile(path, text);
    const next = parseKeyRing(text);
    if (!next.ok) throw new Error('a key file was written that cannot be read');
    take(next.value, kept);
    stamp = stampOf(path);
    return ok(undefined);
  };
  return ok({
    get newest() {
      return current().newest;
    },
    get all() {
      return current().all;
    },
    place,
    path,
    async renew() {
      if (place !== 'generated') return err('kept_elsewhere');
      const { all } = current();
      return rewrite(newKeyLine() + textOf(all), all);
    },
    async forgetOld() {
      if (place !== 'generated') return err('kept_elsewhere');
      return rewrite(textOf([current().newest]), []);
    },
  });
}

async function keychainRing(
  keychain: Keychain,
  how: 'read' | 'create',
): Promise<Result<VaultRing, KeyProblem>> {
  const path = 'the keychain of the system';
  let text: string | undefined;
  try {
    text = await keychain.get();
    if (text === undefined && how === 'read') return err({ key: 'vault', reason: 'missing', path });
    if (text === undefined) {
      text = newKeyLine();
      await keychain.set(text);
    }
  } catch {
    return err({ key: 'vault', reason: 'no_keychain', path });
  }
  const ring = parse(text, path);
  if (!ring.ok) return ring;
  let held = ring.value;
  const rewrite = async (next: string): Promise<Result<void, never>> => {
    await keychain.set(next);
    const parsed = parseKeyRing(next);
    if (!parsed.ok) throw new Error('a key ring was written that cannot be read');
    held = parsed.value;
    return ok(undefined);
  };
  return ok({
    get newest() {
      return held.newest;
    },
    get all() {
      return held.all;
    },
    place: 'keychain',
    path,
    renew: () => rewrite(newKeyLine() + textOf(held.all)),
    forgetOld: () => rewrite(textOf([held.newest])),
  });
}

function textOf(keys: readonly Key[]): string {
  return keys.map((key) => `${key.bytes().toString('base64url')}\n`).join('');
}

/** Changes with every replacement of the file. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}
