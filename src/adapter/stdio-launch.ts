import { readSync } from 'node:fs';
import { isJsonObject, isStringArray } from '#kernel/json.ts';

/** What the launcher is told over its stdin: never on the command line, where everybody on the machine could read it. */
export interface LaunchOrder {
  /** The program's own path. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const lengthDigits = 10;
/** As shells say it. */
const notRunnable = 126;

/** The order as it is sent: its length in bytes, then JSON. What follows belongs to the program. */
export function launchText(order: LaunchOrder): string {
  const json = JSON.stringify(order);
  return String(Buffer.byteLength(json)).padStart(lengthDigits, '0') + json;
}

/**
 * Becomes the program that it is told of. Until then it waits, and ends where its stdin does: a child whose group the guard
 * does not know yet has not begun. Returns an exit code only where nothing can be run.
 */
export function runStdioLaunch(): number {
  const length = Number(readText(lengthDigits));
  const order = parseOrder(length > 0 ? readText(length) : undefined);
  if (order === undefined) return notRunnable;
  // Bun ignores these, and what is ignored stays so in the program; what is caught does not.
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, () => {});
  try {
    process.chdir(order.cwd);
    process.execve?.(order.file, [order.file, ...order.args], { ...order.env });
  } catch (error) {
    process.stderr.write(`cannot be run: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  return notRunnable;
}

function parseOrder(text: string | undefined): LaunchOrder | undefined {
  const value: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!isJsonObject(value)) return undefined;
  const { file, args, env, cwd } = value;
  if (typeof file !== 'string' || typeof cwd !== 'string') return undefined;
  if (!isStringArray(args) || !isJsonObject(env)) return undefined;
  return { file, args, cwd, env: Object.fromEntries(Object.entries(env).map(([k, v]) => [k, String(v)])) };
}

/** Exactly so many bytes, and not one that is the program's; undefined: the input ended before. */
function readText(bytes: number): string | undefined {
  const buffer = Buffer.alloc(bytes);
  let filled = 0;
  while (filled < bytes) {
    const count = readSync(0, buffer, filled, bytes - filled, null);
    if (count === 0) return undefined;
    filled += count;
  }
  return buffer.toString('utf8');
}
