import type { JsonObject } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';

/** What a token of the admin listener may do: look, act, or see people behind pseudonyms; each includes the one before. */
export type OperatorRole = 'read' | 'operate' | 'reveal';

/** Why nothing was done: a word for programs, a sentence for people. */
export interface OperationRefusal {
  readonly reason: string;
  readonly message: string;
}

/** One thing an operator may ask. Who asks is written down by the operation itself, where it changes anything. */
export interface Operation {
  readonly role: OperatorRole;
  /** `actor`: the name of the admin token, or `local` for the control socket. */
  run(input: JsonObject, actor: string): Promise<Result<JsonObject, OperationRefusal>>;
}

/** By method and path: `GET /status`, `POST /revocations`. A GET gets its query as `input`. */
export type Operations = Readonly<Record<string, Operation>>;
