import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound, OutboundFailure } from '#outbound/outbound.ts';
import { providerLimits } from './provider-limits.ts';

/**
 * `absent`: answered, but there is no such document. `unreachable`: no answer, or a server error. `refused`: the
 * address, or where it redirects to, must not be called. `invalid`: too large, or no text.
 */
export interface DocumentProblem {
  readonly kind: 'absent' | 'unreachable' | 'refused' | 'invalid';
  readonly detail: string;
}

/**
 * A public JSON object, within the bounds of one request. Redirects are followed within its origin alone, and each is
 * a request of its own with every check (R47). Pages that answer every path with HTML count as absent.
 */
export async function readDocument(
  outbound: Outbound,
  address: string,
  timeoutMs: number,
): Promise<Result<JsonObject, DocumentProblem>> {
  let url = address;
  for (let hops = 0; hops <= providerLimits.maxRedirects; hops += 1) {
    const answer = await outbound.request({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
      body: undefined,
      timeoutMs,
      maxBytes: providerLimits.maxAnswerBytes,
      signal: undefined,
      pool: undefined,
      onEvent: undefined,
    });
    if (!answer.ok) return err({ kind: kindOf(answer.error), detail: `${url}: ${answer.error.detail}` });
    const { status, headers, body } = answer.value;
    const location = status >= 300 && status < 400 ? headers.get('location') : undefined;
    if (location !== undefined) {
      const target = URL.parse(location, url);
      if (target === null || target.origin !== new URL(url).origin) {
        return err({ kind: 'refused', detail: `${url}: redirects to another origin` });
      }
      url = target.href;
      continue;
    }
    if (status >= 500) return err({ kind: 'unreachable', detail: `${url}: status ${status}` });
    const parsed = status === 200 ? parseJson(body) : undefined;
    if (parsed?.ok && isJsonObject(parsed.value)) return ok(parsed.value);
    return err({
      kind: 'absent',
      detail: `${url}: status ${status}${status === 200 ? ', no JSON object' : ''}`,
    });
  }
  return err({ kind: 'refused', detail: `${address}: too many redirects` });
}

/** The address must not be called: nobody was connected to. */
export function isRefused({ reason, detail }: Pick<OutboundFailure, 'reason' | 'detail'>): boolean {
  return reason === 'invalid_request' || detail === 'ENOTPUBLIC';
}

function kindOf(failure: OutboundFailure): DocumentProblem['kind'] {
  if (isRefused(failure)) return 'refused';
  return failure.reason === 'too_large' || failure.reason === 'bad_encoding' ? 'invalid' : 'unreachable';
}
