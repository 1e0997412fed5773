import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { cortexCommand } from '../../support/binary.ts';

/** `cortex stdio` as a client starts it: lines in, lines out. */
export interface StdioProcess extends AsyncDisposable {
  send(message: JsonObject): void;
  /** The answer to a request, once it is there. */
  answer(id: number | string): Promise<JsonObject>;
  /** Each line of stdout so far. */
  lines(): readonly string[];
  stderr(): string;
  /** What stderr shows that `pattern` matches, once it is there. */
  said(pattern: RegExp): Promise<string>;
  /** Closes stdin; resolves with the exit code. */
  end(): Promise<number>;
}

export function startStdio(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): StdioProcess {
  const child = Bun.spawn([...cortexCommand(), 'stdio', ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '', HOME: options.cwd, ...options.env },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const texts = { stdout: '', stderr: '' };
  const drain = async (name: keyof typeof texts) => {
    const decoder = new TextDecoder();
    for await (const chunk of child[name]) texts[name] += decoder.decode(chunk, { stream: true });
  };
  void drain('stdout');
  void drain('stderr');
  const lines = () => texts.stdout.split('\n').filter((line) => line !== '');
  const messages = () =>
    lines().flatMap((line) => {
      const parsed = parseJson(line);
      return parsed.ok && isJsonObject(parsed.value) ? [parsed.value] : [];
    });

  async function until<T>(find: () => T | undefined, what: string): Promise<T> {
    for (let waited = 0; waited < 45_000; waited += 10) {
      const found = find();
      if (found !== undefined) return found;
      await Bun.sleep(10);
    }
    throw new Error(`waited too long for ${what}:\n${texts.stdout}\n${texts.stderr}`);
  }
  const end = async () => {
    await child.stdin.end();
    return child.exited;
  };
  return {
    send(message) {
      void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      void child.stdin.flush();
    },
    answer: (id) =>
      until(
        () => messages().find((message) => message.id === id && message.method === undefined),
        `answer ${id}`,
      ),
    lines,
    stderr: () => texts.stderr,
    said: (pattern) => until(() => pattern.exec(texts.stderr)?.[0], String(pattern)),
    end,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
