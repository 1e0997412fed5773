import type { Tone } from './line.ts';

export const themeNames = ['auto', 'dark', 'light', 'plain'] as const;
/** `auto`: by the ground of the terminal. `plain`: no colours, only bold, dim and reversed. */
export type ThemeName = (typeof themeNames)[number];

export interface Theme {
  /** Undefined: no colours. */
  readonly tones: Readonly<Record<Tone, string>> | undefined;
  /** The ground of what is chosen; undefined: reversed. */
  readonly markedGround: string | undefined;
}

const dark: Theme = {
  tones: {
    accent: '#79b8ff',
    good: '#85c98f',
    warn: '#e3b95c',
    bad: '#ff8b82',
    soft: '#9099a4',
    frame: '#4a525c',
  },
  markedGround: '#26354a',
};

const light: Theme = {
  tones: {
    accent: '#0a58b8',
    good: '#1a6f34',
    warn: '#8a5300',
    bad: '#b3232b',
    soft: '#5b6570',
    frame: '#b9c1c9',
  },
  markedGround: '#d9e7fa',
};

const plain: Theme = { tones: undefined, markedGround: undefined };

/** The theme of that name; `isLight` is what the terminal said of its ground. */
export function themeOf(name: ThemeName, isLight: boolean): Theme {
  if (name === 'plain') return plain;
  return name === 'light' || (name === 'auto' && isLight) ? light : dark;
}
