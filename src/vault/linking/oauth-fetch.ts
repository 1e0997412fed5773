import { allowInsecureRequests, customFetch } from 'oauth4webapi';
import type { Outbound } from '#outbound/outbound.ts';
import { providerLimits } from './provider-limits.ts';

/** A request to a provider that got no usable answer. */
export class ProviderUnreachable extends Error {
  readonly isRefused: boolean;

  constructor(detail: string, isRefused: boolean) {
    super(detail);
    this.isRefused = isRefused;
  }
}

/**
 * What `oauth4webapi` needs to ask a provider: our own outbound in place of its `fetch`, with its address rules, deadline
 * and byte cap. Whether http is allowed is those rules' matter, so the library's own check is off.
 */
export function oauthOptions(outbound: Outbound, timeoutMs: number) {
  return {
    [allowInsecureRequests]: true,
    [customFetch]: async (
      url: string,
      init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: unknown },
    ): Promise<Response> => {
      const answer = await outbound.request({
        method: init.method === 'GET' ? 'GET' : 'POST',
        url,
        headers: init.headers,
        body: init.body === undefined || init.body === null ? undefined : String(init.body),
        timeoutMs,
        maxBytes: providerLimits.maxAnswerBytes,
        signal: undefined,
        pool: undefined,
        onEvent: undefined,
      });
      if (!answer.ok) {
        const { reason, detail } = answer.error;
        if (reason === 'too_large' || reason === 'bad_encoding') throw new Error(reason);
        throw new ProviderUnreachable(
          `${reason} (${detail})`,
          reason === 'invalid_request' || detail === 'ENOTPUBLIC',
        );
      }
      const { status, headers, body } = answer.value;
      // Providers that were only asked for JSON sometimes forget to say that it is.
      const type = headers.get('content-type') ?? 'application/json';
      const isEmpty = status === 204 || status === 304 || status < 200;
      return new Response(isEmpty ? null : body, {
        status: status < 200 ? 500 : status,
        headers: { 'content-type': type },
      });
    },
  };
}
