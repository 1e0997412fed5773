import { createHash } from 'node:crypto';
import type { ParsedList } from '#contract/parse-list.ts';
import { parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OutboundResponse } from '#outbound/outbound.ts';
import type { BackendFailure } from './backend.ts';
import { failure } from './failures.ts';
import { outboundFailure } from './outbound-failure.ts';
import type { SignedLists } from './signed-list.ts';
import { statusFailure } from './status-failure.ts';
import type { TechnicalMethod, TechnicalRequest } from './technical-request.ts';
import { isUnknownMethod } from './unknown-method.ts';

/** The last good answer of one list method. */
export interface GoodList<T> extends ParsedList<T> {
  readonly etag: string | undefined;
  /** Of the body: equal digests are equal lists. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface ListMethod<T> {
  readonly method: TechnicalMethod;
  /** The last good answer, whatever came after it. */
  last(): GoodList<T> | undefined;
  /** Asks again; conditionally where `isConditional` and the last answer had an `ETag`. */
  poll(isConditional: boolean, signal: AbortSignal): Promise<Result<GoodList<T>, BackendFailure>>;
}

export interface ListMethodOptions<T> {
  readonly method: TechnicalMethod;
  /** A backend without this method has an empty list. */
  readonly isOptional: boolean;
  readonly parse: (answer: unknown) => Result<ParsedList<T>, string>;
  readonly now: () => number;
  /** Undefined: no key is pinned. */
  readonly signed: SignedLists | undefined;
}

/** One list method of a backend, with the memory that `304 Not Modified` needs. */
export function createListMethod<T>(request: TechnicalRequest, options: ListMethodOptions<T>): ListMethod<T> {
  let good: GoodList<T> | undefined;

  function keep(list: ParsedList<T>, body: string, etag: string | undefined): GoodList<T> {
    return {
      ...list,
      etag,
      digest: createHash('sha256').update(body).digest('base64url'),
      at: options.now(),
    };
  }

  async function read(
    response: OutboundResponse,
    wasConditional: boolean,
  ): Promise<Result<GoodList<T>, BackendFailure>> {
    if (response.status === 304 && wasConditional && good !== undefined)
      return ok({ ...good, at: options.now() });
    if (response.status !== 200) {
      const refused = statusFailure(response, options.now());
      if (options.isOptional && isAbsent(refused, options.method)) {
        const isTakenAway = good !== undefined && good.definitions.length > 0;
        if (options.signed !== undefined && isTakenAway) return options.signed.refuseAbsence();
        return ok(keep({ definitions: [], problems: [] }, '', undefined));
      }
      return err(refused);
    }
    const verified = options.signed?.verify(response);
    if (verified?.ok === false) return verified;
    const answer = parseJson(response.body);
    if (!answer.ok) return err(failure('not_json', { status: 200 }));
    const parsed = options.parse(answer.value);
    if (!parsed.ok)
      return err(failure('not_json', { status: 200, message: `${options.method}: ${parsed.error}.` }));
    const accepted = await options.signed?.accept(options.method, answer.value);
    if (accepted?.ok === false) return accepted;
    return ok(keep(parsed.value, response.body, usableEtag(response.headers.get('etag'))));
  }

  return {
    method: options.method,
    last: () => good,
    async poll(isConditional, signal) {
      const etag = isConditional ? good?.etag : undefined;
      const answer = await request(options.method, {}, etag, signal);
      if (!answer.ok) return err(outboundFailure(answer.error));
      const result = await read(answer.value, etag !== undefined);
      if (result.ok) good = result.value;
      return result;
    },
  };
}

/** 400 and 404 with an `error` are how simple backends refuse a method; a 500 only if it says so. */
function isAbsent(refused: BackendFailure, method: string): boolean {
  const isRefusal = refused.status === 400 || refused.status === 404;
  return (isRefusal && refused.body !== undefined) || isUnknownMethod(refused, method);
}

/** An `ETag` as it may be sent back (RFC 9110 section 8.8.3). */
function usableEtag(value: string | undefined): string | undefined {
  return value !== undefined && /^(?:W\/)?"[!#-~]{0,254}"$/.test(value) ? value : undefined;
}
