import { existsSync } from 'node:fs';
import { cortexCommand } from './binary.ts';

/** Where a test may draw: a real terminal of tmux's, with a server of its own. */
export const tmuxPath = ['/usr/bin/tmux', '/usr/local/bin/tmux', '/opt/homebrew/bin/tmux'].find((path) =>
  existsSync(path),
);

const timeoutMs = 45_000;

export interface TmuxTerminal extends AsyncDisposable {
  /** Presses keys by tmux's names, and types what is none. */
  press(...keys: readonly string[]): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** Sends the command a signal (on Linux). */
  signal(name: NodeJS.Signals): Promise<void>;
  /** What the screen holds; with `colors` the codes too. */
  screen(colors?: 'colors'): Promise<string>;
  /** The screen, as soon as it fits; fails with what it held. */
  until(what: RegExp | ((screen: string) => boolean)): Promise<string>;
}

/** Runs `cortex` in a terminal; where it ends, the shell says `left <exit code>`. */
export async function openTmux(options: {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly columns: number;
  readonly rows: number;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<TmuxTerminal> {
  const socket = `${options.cwd}/${crypto.randomUUID().slice(0, 8)}.sock`;
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: options.cwd,
    LANG: 'C.UTF-8',
    TERM: 'tmux-256color',
    COLORTERM: 'truecolor',
    ...options.env,
  };
  const words = [
    'env',
    '-i',
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...cortexCommand(),
    ...options.args,
  ];
  const command = `${words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}; echo left $?; exec sleep 600`;

  async function tmux(...args: readonly string[]): Promise<string> {
    const child = Bun.spawn([tmuxPath ?? 'tmux', '-S', socket, '-f', '/dev/null', '-u', ...args], {
      cwd: options.cwd,
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TERM: 'xterm-256color', SHELL: '/bin/sh' },
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    if ((await child.exited) !== 0) throw new Error(`tmux ${args[0]}: ${err}`);
    return out;
  }
  await tmux('new-session', '-d', '-x', `${options.columns}`, '-y', `${options.rows}`, command);

  const screen = (colors?: 'colors') => tmux('capture-pane', '-p', ...(colors === undefined ? [] : ['-e']));
  return {
    async press(...keys) {
      await tmux('send-keys', ...keys);
    },
    async resize(columns, rows) {
      await tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
    },
    async signal(name) {
      const shell = (await tmux('display-message', '-p', '#{pane_pid}')).trim();
      const [child = ''] = (await Bun.file(`/proc/${shell}/task/${shell}/children`).text()).split(' ');
      process.kill(Number(child), name);
    },
    screen,
    async until(what) {
      const fits = typeof what === 'function' ? what : (text: string) => what.test(text);
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const text = await screen();
        if (fits(text)) return text;
        if (Date.now() > deadline) throw new Error(`the screen never came to ${what}; it holds:\n${text}`);
        await Bun.sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      await tmux('kill-server').catch(() => undefined);
    },
  };
}
