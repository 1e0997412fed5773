import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { asksForLight, isLightGround } from '#cli/ui/background.ts';
import { themeOf } from '#cli/ui/theme.ts';

/** A terminal that answers so when it is asked. */
function terminal(answer: string) {
  const put: string[] = [];
  let waiting: string[] = [];
  const events = new EventEmitter();
  const input = Object.assign(events, {
    setRawMode() {
      return input;
    },
    read: () => waiting.shift() ?? null,
    unshift: (bytes: Uint8Array) => void put.push(Buffer.from(bytes).toString()),
  });
  const output = {
    write(text: string) {
      if (text.includes('\u001b]11;?')) {
        waiting = [answer];
        queueMicrotask(() => events.emit('readable'));
      }
      return true;
    },
  };
  return { screen: { input, output }, put };
}
const identity = '\u001b[?62;22c';

describe('the ground of the terminal', () => {
  test('is told by its answer, in two digits or four a colour', () => {
    expect(isLightGround('\u001b]11;rgb:ffff/ffff/ffff\u001b\\')).toBe(true);
    expect(isLightGround('\u001b]11;rgb:1e/1e/2e\u0007')).toBe(false);
    expect(isLightGround('\u001b]11;rgb:fdf6/e3e3/d5d5\u0007')).toBe(true);
    expect(isLightGround('')).toBeUndefined();
    expect(isLightGround('\u001b]11;nonsense\u0007')).toBeUndefined();
  });

  test('is asked for once; what was typed meanwhile is put back', async () => {
    const { screen, put } = terminal(`li\u001b]11;rgb:ffff/ffff/ffff\u001b\\${identity}st`);
    expect(await asksForLight(screen, undefined)).toBe(true);
    expect(put).toEqual(['list']);
  });

  test('is taken from COLORFGBG where the terminal does not say, and else is dark', async () => {
    expect(await asksForLight(terminal(identity).screen, '0;15')).toBe(true);
    expect(await asksForLight(terminal(identity).screen, '15;0')).toBe(false);
    expect(await asksForLight(terminal(identity).screen, '15;8')).toBe(false);
    expect(await asksForLight(terminal('').screen, undefined)).toBe(false);
  });
});

test('each theme can be read on its ground: four and a half to one, and frames a fourth of that', () => {
  for (const [name, ground] of [
    ['dark', '#0d1117'],
    ['dark', '#000000'],
    ['light', '#ffffff'],
    ['light', '#fdf6e3'],
  ] as const) {
    const { tones, markedGround } = themeOf(name, false);
    for (const [tone, color] of Object.entries(tones ?? {})) {
      const needed = tone === 'frame' ? 1.5 : 4.5;
      expect(contrast(color, ground), `${tone} on ${ground}`).toBeGreaterThanOrEqual(needed);
      if (tone !== 'frame')
        expect(contrast(color, markedGround ?? ground), `${tone} chosen`).toBeGreaterThanOrEqual(4);
    }
  }
  expect(themeOf('auto', true)).toBe(themeOf('light', false));
  expect(themeOf('plain', true).tones).toBeUndefined();
});

/** WCAG 2.2, contrast ratio. */
function contrast(one: string, other: string): number {
  const [a = 0, b = 0] = [one, other].map(luminance).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
