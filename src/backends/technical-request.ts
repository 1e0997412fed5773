import { contractHeaders } from '#contract/headers.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Outbound, OutboundFailure, OutboundResponse } from '#outbound/outbound.ts';

/** The methods that the technical token is for; no other is ever sent with it. */
export type TechnicalMethod = 'list_tools' | 'list_prompts' | 'list_resources' | 'list_resource_templates';

/** Sends a method of the catalog with the technical token, which is no identity: it is given no principal. */
export type TechnicalRequest = (
  method: TechnicalMethod,
  params: JsonObject,
  etag: string | undefined,
  signal: AbortSignal,
) => Promise<Result<OutboundResponse, OutboundFailure>>;

export interface TechnicalRequestOptions {
  readonly id: string;
  readonly url: string;
  readonly technicalToken: Secret | undefined;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly userAgent: string;
}

/** Makes the one place where the technical token is revealed. */
export function createTechnicalRequest(
  options: TechnicalRequestOptions,
  outbound: Outbound,
): TechnicalRequest {
  return (method, params, etag, signal) => {
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      'User-Agent': options.userAgent,
      [contractHeaders.deadlineMs]: String(options.timeoutMs),
    };
    if (options.technicalToken !== undefined) {
      headers.Authorization = `Bearer ${options.technicalToken.reveal()}`;
    }
    if (etag !== undefined) headers['If-None-Match'] = etag;
    return outbound.request({
      method: 'POST',
      url: options.url,
      headers,
      body: JSON.stringify({ method, params }),
      timeoutMs: options.timeoutMs,
      maxBytes: options.maxBytes,
      signal,
      // Apart from the calls: a backend whose calls hang can still be polled.
      pool: `${options.id} technical`,
      onEvent: undefined,
    });
  };
}
