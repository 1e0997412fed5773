import type { Origin } from './issue.ts';
import type { RawValue } from './kind.ts';
import type { AnyOption } from './option.ts';

export type SettingPath = readonly string[];

/** One value as a source gave it. */
export interface Setting {
  readonly path: SettingPath;
  readonly option: AnyOption;
  readonly raw: RawValue;
  readonly origin: Origin;
  /** Where the items of a list stand, if that is known. */
  readonly itemOrigins: readonly Origin[];
  /** The folder that relative paths count from. */
  readonly base: string;
  /** A secret that may not be read here. */
  readonly isWithheld: boolean;
}

/** What the sources said, one value a setting, in the order it was first said. */
export interface Settings {
  get(path: SettingPath): Setting | undefined;
  /** Replaces what an earlier source said. */
  set(setting: Setting): void;
  /** Says that a key of the operator's choice exists, even with nothing in it. */
  addMember(path: SettingPath, origin: Origin): void;
  memberOrigin(path: SettingPath): Origin | undefined;
  /** The keys right below `path`. */
  keysBelow(path: SettingPath): readonly string[];
  all(): Iterable<Setting>;
}

export function createSettings(): Settings {
  const settings = new Map<string, Setting>();
  const members = new Map<string, Map<string, Origin>>();
  const keyOf = (path: SettingPath) => path.join('\0');

  function addMember(path: SettingPath, origin: Origin): void {
    const parent = keyOf(path.slice(0, -1));
    const key = path.at(-1);
    if (key === undefined) return;
    const below = members.get(parent) ?? new Map<string, Origin>();
    if (!below.has(key)) below.set(key, origin);
    members.set(parent, below);
  }

  return {
    get: (path) => settings.get(keyOf(path)),
    set(setting) {
      settings.set(keyOf(setting.path), setting);
      for (let depth = 1; depth <= setting.path.length; depth++)
        addMember(setting.path.slice(0, depth), setting.origin);
    },
    addMember,
    memberOrigin: (path) => members.get(keyOf(path.slice(0, -1)))?.get(path.at(-1) ?? ''),
    keysBelow: (path) => [...(members.get(keyOf(path))?.keys() ?? [])],
    all: () => settings.values(),
  };
}

/** Dotted, as messages name it. */
export function showPath(path: SettingPath): string {
  return path.join('.');
}
