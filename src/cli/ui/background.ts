/** What of a terminal is needed to ask it. */
interface Asked {
  readonly input: {
    setRawMode(isRaw: boolean): unknown;
    on(event: 'readable', listener: () => void): unknown;
    off(event: 'readable', listener: () => void): unknown;
    read(): unknown;
    unshift(bytes: Uint8Array): unknown;
  };
  readonly output: { write(text: string): unknown };
}

const waitMs = 150;
/** What colour is the ground; and who are you, which every terminal answers, so that nobody waits for the first. */
const questions = '\x1b]11;?\x1b\\\x1b[c';

/**
 * Whether the terminal writes on a light ground: by its own answer, else by `COLORFGBG`, else it does not. What the
 * person types meanwhile is put back.
 */
export async function asksForLight(screen: Asked, colorFgBg: string | undefined): Promise<boolean> {
  const { input, output } = screen;
  let heard = '';
  input.setRawMode(true);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(finish, waitMs);
    function finish(): void {
      clearTimeout(timer);
      input.off('readable', listen);
      resolve();
    }
    function listen(): void {
      for (let bytes: unknown = input.read(); bytes !== null; bytes = input.read()) heard += String(bytes);
      if (identity.test(heard)) finish();
    }
    input.on('readable', listen);
    output.write(questions);
  });
  const typed = heard.replace(ground, '').replace(identity, '');
  if (typed !== '') input.unshift(Buffer.from(typed));
  return isLightGround(heard) ?? isLightIndex(colorFgBg) ?? false;
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: these are the answers of terminals.
const ground = /\x1b\]11;rgb:([0-9a-f]{2,4})\/([0-9a-f]{2,4})\/([0-9a-f]{2,4})(?:\x07|\x1b\\)/i;
const identity = /\x1b\[\?[\d;]*c/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: these are the answers of terminals.

/** By the terminal's answer; undefined where there is none. */
export function isLightGround(answer: string): boolean | undefined {
  const match = ground.exec(answer);
  if (match === null) return undefined;
  const [red = 0, green = 0, blue = 0] = match
    .slice(1)
    .map((hex) => Number.parseInt(hex, 16) / (16 ** hex.length - 1));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5;
}

/** `15;0`: the last number is the ground, one of 16 colours. */
function isLightIndex(colorFgBg: string | undefined): boolean | undefined {
  const index = /;(\d{1,2})$/.exec(colorFgBg ?? '')?.[1];
  return index === undefined ? undefined : index === '7' || Number(index) >= 9;
}
