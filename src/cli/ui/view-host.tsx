import { Box, type Key, Text, useApp, useInput, usePaste, useWindowSize } from 'ink';
import { useCallback, useEffect, useReducer, useRef, useState } from 'react';
import type { Line, Span } from './line.ts';
import { type Theme, type ThemeName, themeNames, themeOf } from './theme.ts';
import type { KeyPress, View } from './view.ts';

interface HostProps<State> {
  readonly view: View<State>;
  readonly themeName: ThemeName;
  readonly isLight: boolean;
  /** The state the person left, and the theme. */
  readonly onQuit: (state: State, themeName: ThemeName) => void;
  /** Undefined: the theme is settled. */
  readonly mayChangeTheme: boolean;
}

/** Draws a view, hands it keys, and ends when it is done. */
export function ViewHost<State>({ view, themeName, isLight, mayChangeTheme, onQuit }: HostProps<State>) {
  const { exit } = useApp();
  const size = useWindowSize();
  const [theme, setTheme] = useState(themeName);
  const [, draw] = useReducer((drawn: number) => drawn + 1, 0);
  // Several keys may come at once, before anything is drawn: each needs the state that the one before left.
  const latest = useRef(view.initial);

  const change = useCallback((next: (state: State) => State) => {
    latest.current = next(latest.current);
    draw();
  }, []);
  useEffect(() => {
    const stop = new AbortController();
    view.feed?.(change, stop.signal).catch(exit);
    return () => stop.abort();
  }, [view, change, exit]);

  function press(pressed: KeyPress): void {
    if (pressed.key === 'ctrl+t' && mayChangeTheme) {
      setTheme((before) => themeNames[(themeNames.indexOf(before) + 1) % themeNames.length] ?? 'auto');
      return;
    }
    const next = pressed.key === 'ctrl+c' ? undefined : view.press(latest.current, pressed, size);
    if (next !== undefined) {
      change(() => next);
      return;
    }
    onQuit(latest.current, theme);
    exit();
  }
  useInput((input, key) => {
    for (const pressed of keyPresses(input, key)) press(pressed);
  });
  usePaste((text) => press({ key: '', text: text.replaceAll(/\p{Cc}+/gu, ' ') }));

  const lines = view.frame(latest.current, size).slice(0, size.rows);
  const painted = themeOf(theme, isLight);
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows}>
      {lines.map((line, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the screen is its number.
        <Row key={row} line={line} theme={painted} />
      ))}
    </Box>
  );
}

function Row({ line, theme }: { readonly line: Line; readonly theme: Theme }) {
  return (
    <Box height={1} flexShrink={0}>
      <Text wrap="truncate-end">
        {line.length === 0 ? ' ' : line.map((part, at) => painted(part, at, theme))}
      </Text>
    </Box>
  );
}

function painted(
  { text, tone, isBold = false, isMarked = false }: Span,
  at: number,
  { tones, markedGround }: Theme,
) {
  const color = tone === undefined ? undefined : tones?.[tone];
  return (
    <Text
      key={at}
      bold={isBold}
      dimColor={tones === undefined && (tone === 'soft' || tone === 'frame') && !isMarked}
      inverse={isMarked && markedGround === undefined}
      {...(color !== undefined && { color })}
      {...(isMarked && markedGround !== undefined && { backgroundColor: markedGround })}
    >
      {text}
    </Text>
  );
}

const named = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const satisfies readonly (readonly [keyof Key, string])[];

/** One key, or what was typed so fast that it came at once. */
function keyPresses(input: string, key: Key): readonly KeyPress[] {
  const found = named.find(([name]) => key[name]);
  const shift = key.shift ? 'shift+' : '';
  if (found !== undefined) return [{ key: `${shift}${found[1]}`, text: '' }];
  if (key.ctrl) return [{ key: `ctrl+${input}`, text: '' }];
  if (key.meta) return [{ key: `meta+${input}`, text: '' }];
  return input.split(/(\p{Cc})/u).flatMap((part) => (part === '' ? [] : [typed(part)]));
}

function typed(part: string): KeyPress {
  const code = part.codePointAt(0) ?? 0;
  if (code >= 32 && code !== 127) return { key: '', text: part };
  const control = controls[code] ?? `ctrl+${String.fromCodePoint(code + 96)}`;
  return { key: control, text: '' };
}

const controls: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  13: 'enter',
  27: 'escape',
  127: 'backspace',
};
