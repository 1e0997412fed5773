import type { Kind } from './kind.ts';

/** A name of an environment variable that deployments of the contract already use, and what it sets. */
export interface ExistingName {
  /** May hold `<ID>`: a backend's id in capitals, `-` written `_`. */
  readonly name: string;
  /**
   * `each`: every backend that has no value of its own. `listed`: the value lists backends, which get `true`.
   * `first`: the one issuer that the environment describes. `admin`: the token of that name. `one`: the setting itself,
   * or that of backend `<ID>`.
   */
  readonly reach: 'one' | 'each' | 'listed' | 'first' | 'admin';
  /** Appended to a bare number. */
  readonly unit: 'ms' | 's' | 'd' | undefined;
}

/** One row of the options table. `F` is the type of the value where nothing sets it. */
export interface Option<T, F = T> {
  /** Dotted; `<name>` stands for a key that the operator chooses, `<n>` for an index of a list. */
  readonly path: string;
  readonly kind: Kind<T>;
  readonly fallback: F;
  /** Says where a computed default comes from; undefined where `fallback` tells it all. */
  readonly fallbackText: string | undefined;
  readonly isRequired: boolean;
  readonly description: string;
  /** As YAML; shown in the example file. */
  readonly example: string | undefined;
  /** Names beside `CORTEX__...` that weigh as much. */
  readonly environment: readonly string[];
  /** Names that fill in what the config file leaves open. */
  readonly existing: readonly ExistingName[];
  /** `--name`, for the commands that run the gateway. */
  readonly flag: string | undefined;
}
export type AnyOption = Option<unknown, unknown>;

interface Extras {
  readonly fallbackText?: string;
  readonly example?: string;
  readonly environment?: readonly string[];
  readonly existing?: readonly ExistingName[];
  readonly flag?: string;
}

/** An option with a default. */
export function option<T>(
  path: string,
  kind: Kind<T>,
  fallback: T,
  description: string,
  extras: Extras = {},
): Option<T> {
  return { ...row(path, kind, description, extras), fallback, isRequired: false };
}

/** An option that may stay unset. */
export function optional<T>(
  path: string,
  kind: Kind<T>,
  description: string,
  extras: Extras = {},
): Option<T, undefined> {
  return { ...row(path, kind, description, extras), fallback: undefined, isRequired: false };
}

/** An option without which its surroundings make no sense. */
export function required<T>(
  path: string,
  kind: Kind<T>,
  description: string,
  extras: Extras = {},
): Option<T, undefined> {
  return { ...row(path, kind, description, extras), fallback: undefined, isRequired: true };
}

function row<T>(path: string, kind: Kind<T>, description: string, extras: Extras) {
  return {
    path,
    kind,
    description,
    fallbackText: extras.fallbackText,
    example: extras.example,
    environment: extras.environment ?? [],
    existing: extras.existing ?? [],
    flag: extras.flag,
  };
}

/** An existing name; see {@link ExistingName}. */
export function existing(
  name: string,
  reach: ExistingName['reach'] = 'one',
  unit?: 'ms' | 's' | 'd',
): ExistingName {
  return { name, reach, unit };
}
