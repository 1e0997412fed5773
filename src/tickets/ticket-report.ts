import type { JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

const MAX_TITLE_LENGTH = 200;
const MAX_DETAILS_LENGTH = 4_000;
const MAX_BACKEND_LENGTH = 64;

const severities = ['low', 'normal', 'blocking'] as const;
export type Severity = (typeof severities)[number];

/** A missing capability, in the reporter's words. */
export interface TicketReport {
  readonly title: string;
  readonly details: string;
  readonly severity: Severity;
  /** The application it concerns, as the reporter calls it: nothing checks that there is one. */
  readonly backend: string | undefined;
}

/** Reads the arguments of `report_missing_capability`. The refusal is text for the agent. */
export function parseTicketReport(args: JsonObject): Result<TicketReport, string> {
  const { title, details = '', severity = 'normal', backend } = args;
  if (typeof title !== 'string' || normalTitle(title) === '' || title.length > MAX_TITLE_LENGTH)
    return err(`title says in 1 to ${MAX_TITLE_LENGTH} characters what is missing`);
  if (typeof details !== 'string' || details.length > MAX_DETAILS_LENGTH)
    return err(`details is text of at most ${MAX_DETAILS_LENGTH} characters`);
  const known = severities.find((one) => one === severity);
  if (known === undefined) return err(`severity is one of ${severities.join(', ')}`);
  if (backend !== undefined && (typeof backend !== 'string' || backend.length > MAX_BACKEND_LENGTH))
    return err(`backend is text of at most ${MAX_BACKEND_LENGTH} characters`);
  return ok({ title: title.trim(), details, severity: known, backend });
}

/** A title without what does not change its meaning: case, width, punctuation, spacing. */
export function normalTitle(title: string): string {
  return title
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
