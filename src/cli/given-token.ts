import type { Invocation } from './command.ts';
import { UserError } from './errors.ts';

const waitMs = 60_000;

/** `--token`; `-` reads it from stdin: what stands on the command line is seen by everybody on the machine. */
export async function givenToken(
  { options, terminal }: Invocation,
  next: string,
): Promise<string | undefined> {
  const given = options.text('token');
  if (given !== '-') return given;
  const line = await terminal.readLine?.(AbortSignal.timeout(waitMs));
  if (line === undefined || line.trim() === '') throw new UserError('no token came on stdin', { next });
  return line.trim();
}
