import { join } from 'node:path';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import {
  type KeyFileProblem,
  newKeyLine,
  readKeyFile,
  readOrCreateKeyFile,
  replaceKeyFile,
} from './key-file.ts';
import { type KeyRing, type KeyTextProblem, parseKeyRing } from './key-ring.ts';

/**
 * The keys the gateway has, one ring a use. `seal`: session ids and request states. `audit`: pseudonyms and
 * fingerprints, kept apart from what seals. `checkpoint`: signs the audit chain. `assertion`: signs what backends
 * with `identity: assert` get.
 */
export interface KeyInventory {
  readonly seal: KeyRing;
  readonly audit: KeyRing;
  readonly checkpoint: KeyRing;
  readonly assertion: KeyRing;
}
export type KeyName = keyof KeyInventory;

/** Where a ring comes from, first found: the value itself, a file of the operator's, a generated file. */
export interface KeyOrigin {
  readonly value?: Secret | undefined;
  readonly file: string | undefined;
}

/** `path` is undefined where the value itself is wrong. */
export interface KeyProblem {
  readonly key: KeyName | 'vault';
  readonly reason: KeyFileProblem | KeyTextProblem | 'no_keychain';
  readonly path: string | undefined;
}

/**
 * Loads every ring, and makes the ones that are nowhere in `dir` (`<dir>/<name>.key`). A file the operator named is
 * never made: a mistyped path must not become a new key.
 */
export function openKeyInventory(
  dir: string,
  origins: Readonly<Record<KeyName, KeyOrigin>>,
): Result<KeyInventory, KeyProblem> {
  const seal = openKeyRing(dir, 'seal', origins.seal, 'create');
  if (!seal.ok) return seal;
  const audit = openKeyRing(dir, 'audit', origins.audit, 'create');
  if (!audit.ok) return audit;
  const checkpoint = openKeyRing(dir, 'checkpoint', origins.checkpoint, 'create');
  if (!checkpoint.ok) return checkpoint;
  const assertion = openKeyRing(dir, 'assertion', origins.assertion, 'create');
  if (!assertion.ok) return assertion;
  return ok({
    seal: seal.value,
    audit: audit.value,
    checkpoint: checkpoint.value,
    assertion: assertion.value,
  });
}

/** Loads one ring; `read` refuses with `missing` where `create` would make it. */
export function openKeyRing(
  dir: string,
  name: KeyName,
  origin: KeyOrigin,
  how: 'read' | 'create',
): Result<KeyRing, KeyProblem> {
  if (origin.value !== undefined) return parse(name, origin.value.reveal(), undefined);
  const path = origin.file ?? join(dir, `${name}.key`);
  const mayCreate = how === 'create' && origin.file === undefined;
  const text = mayCreate ? readOrCreateKeyFile(path) : readKeyFile(path);
  return text.ok ? parse(name, text.value, path) : err({ key: name, reason: text.error, path });
}

/**
 * Puts a fresh key above those of a generated file, or in their place. `kept_elsewhere`: the value or file is the
 * operator's, and only they can add one. A running gateway keeps the ring it has.
 */
export function renewKeyRing(
  dir: string,
  name: KeyName,
  origin: KeyOrigin,
  forgetsOld: boolean,
): Result<KeyRing, KeyProblem | 'kept_elsewhere'> {
  if (origin.value !== undefined || origin.file !== undefined) return err('kept_elsewhere');
  const path = join(dir, `${name}.key`);
  const text = readKeyFile(path);
  if (!text.ok) return err({ key: name, reason: text.error, path });
  const before = parse(name, text.value, path);
  if (!before.ok) return before;
  const next = newKeyLine() + (forgetsOld ? '' : text.value);
  try {
    replaceKeyFile(path, next);
  } catch {
    return err({ key: name, reason: 'unwritable', path });
  }
  return parse(name, next, path);
}

function parse(key: KeyName, text: string, path: string | undefined): Result<KeyRing, KeyProblem> {
  const ring = parseKeyRing(text);
  return ring.ok ? ring : err({ key, reason: ring.error, path });
}
