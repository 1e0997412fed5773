import type { Answer, BackendFailure } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { canElicit } from './may-ask.ts';

const maxElicitations = 8;
const maxUrlLength = 4_096;

/**
 * A legacy server's "the user has to visit these first" (MCP 2025-11-25 client/elicitation). Whoever can be asked in the
 * modern way gets it as questions, and calls again; for the rest the links are in the text and in the failure's body.
 */
export function askToVisit(
  error: JsonObject,
  capabilities: JsonObject,
  isAskedOnStream: boolean,
): Result<Answer, BackendFailure> {
  const elicitations = visitsOf(error);
  if (elicitations.length === 0)
    return err(failure('business_error', { message: stringAt(error, 'message') }));
  if (!isAskedOnStream && canElicit(capabilities.elicitation, 'url')) {
    const questions = elicitations.map(({ elicitationId: _id, ...params }, index) => [
      `visit-${index + 1}`,
      { method: 'elicitation/create', params },
    ]);
    return ok({
      kind: 'input_required',
      inputRequests: Object.fromEntries(questions),
      requestState: undefined,
    });
  }
  const links = elicitations.map(
    (visit) => `${stringAt(visit, 'message') ?? ''}\n${stringAt(visit, 'url') ?? ''}`,
  );
  const message = `The server wants you to open a page first, then to call again.\n${links.join('\n')}`;
  return err(failure('business_error', { message, body: { elicitations } }));
}

/** Only https, and http to this machine: nothing that a client might run. */
function visitsOf({ data }: JsonObject): readonly JsonObject[] {
  const listed = isJsonObject(data) ? data.elicitations : undefined;
  if (!isList(listed)) return [];
  return listed.slice(0, maxElicitations).flatMap((item) => {
    const url = isJsonObject(item) ? stringAt(item, 'url') : undefined;
    if (!isJsonObject(item) || url === undefined || url.length > maxUrlLength || !isVisitable(url)) return [];
    return [{ ...item, mode: 'url' }];
  });
}

function isVisitable(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return true;
  return url?.protocol === 'http:' && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
