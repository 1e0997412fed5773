import { randomId } from '#kernel/ids.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './output.ts';

/** Something the caller can put right. `next` is what to type, or do, next. */
export class UserError extends Error {
  readonly exitCode: 1 | 2 | 3;
  readonly next: string | undefined;

  constructor(message: string, details: { readonly exitCode?: 1 | 2 | 3; readonly next?: string } = {}) {
    super(message);
    this.exitCode = details.exitCode ?? exitCodes.usage;
    this.next = details.next;
  }
}

/**
 * Says what went wrong and returns the exit code. Anything but a {@link UserError} is a fault of ours: it gets an
 * id, and its details are shown only when asked for, since they may name what the caller should not publish.
 */
export function reportFailure(error: unknown, output: Output, showsDetail: boolean): number {
  if (error instanceof UserError) {
    output.failure({ code: error.exitCode, message: error.message, next: error.next, id: undefined });
    return error.exitCode;
  }
  const id = randomId();
  const next = showsDetail ? undefined : 'run it again with --verbose to see where';
  output.failure({ code: exitCodes.fault, message: `a fault of ours (id ${id})`, next, id });
  if (showsDetail) output.detail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodes.fault;
}
