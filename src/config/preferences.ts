import Conf from 'conf';
import { type Surroundings, userConfigDir } from './find-file.ts';

/** What a person chose last in the views of this command. */
export const preferenceNames = [
  'theme',
  'catalog.tab',
  'catalog.sort',
  'catalog.schema',
  'audit.order',
  'audit.span',
] as const;
export type PreferenceName = (typeof preferenceNames)[number];

export interface Preferences {
  get(name: PreferenceName): string | undefined;
  /** The name of what was chosen: what is no short word is not kept. */
  set(name: PreferenceName, value: string): void;
}

const word = /^[\w:.-]{1,64}$/;

/** `preferences.json` in the user's config folder. Where it cannot be read or written, nothing is remembered. */
export function openPreferences(around: Surroundings): Preferences {
  const kept = open(around);
  return {
    get(name) {
      const value = kept?.get(name);
      return typeof value === 'string' && word.test(value) ? value : undefined;
    },
    set(name, value) {
      if (!word.test(value)) return;
      try {
        kept?.set(name, value);
      } catch {
        // A home that cannot be written is no reason to fail.
      }
    },
  };
}

function open(around: Surroundings): Conf<Record<string, unknown>> | undefined {
  try {
    return new Conf<Record<string, unknown>>({
      cwd: userConfigDir(around),
      configName: 'preferences',
      clearInvalidConfig: true,
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
    });
  } catch {
    return undefined;
  }
}
