import { parseStreamEvent } from '#contract/parse-stream-event.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { SseEvent } from '#outbound/sse-reader.ts';
import { type AnswerBody, answerBody } from './answer-body.ts';
import type { BackendFailure, CallContext, ResolvedIdentity } from './backend.ts';
import { createCallHeaders } from './call-headers.ts';
import { outboundFailure } from './outbound-failure.ts';

/** One method of the contract that carries the user's identity. */
export interface UserRequest {
  readonly method: string;
  readonly params: JsonObject;
  /** Sent as `X-Cortex-Kind`: a tool may have the name of a method. */
  readonly kind: 'tool' | undefined;
  /** May be sent again although a byte was sent. */
  readonly isRepeatable: boolean;
}

export interface AttemptOptions {
  readonly id: BackendId;
  /** The endpoint, path included. */
  readonly url: string;
  readonly maxResultBytes: number;
  readonly userAgent: string;
}

export interface Attempt {
  readonly outcome: Result<AnswerBody, BackendFailure>;
  readonly bytes: number;
  /** Sending it once more cannot do anything twice, and might help. */
  readonly isRetryable: boolean;
}

export type MakeAttempt = (
  request: UserRequest,
  body: string,
  identity: ResolvedIdentity,
  context: CallContext,
  remainingMs: number,
) => Promise<Attempt>;

const retryableStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** Sends a user's request once; progress and log events of a streamed answer are relayed as they come. */
export function createAttempt(options: AttemptOptions, outbound: Outbound, clock: Clock): MakeAttempt {
  const headers = createCallHeaders(options.userAgent);
  return async (request, body, identity, context, remainingMs) => {
    const isStreamable = context.onProgress !== undefined || context.onLog !== undefined;
    let streamed: string | undefined;
    let relayed = 0;
    const onEvent = (event: SseEvent): boolean => {
      const parsed = parseStreamEvent(event.event, event.data);
      if (parsed === undefined) return false;
      relayed++;
      if (parsed.kind === 'progress') context.onProgress?.(parsed);
      if (parsed.kind === 'log') context.onLog?.(parsed);
      if (parsed.kind === 'result') streamed = parsed.text;
      return streamed !== undefined;
    };
    const answer = await outbound.request({
      method: 'POST',
      url: options.url,
      headers: headers.own(context, remainingMs),
      shared: [identity.headers, headers.constant(context, request.kind)],
      body,
      timeoutMs: remainingMs,
      maxBytes: options.maxResultBytes,
      signal: context.signal,
      pool: options.id,
      onEvent: isStreamable ? onEvent : undefined,
    });
    // What the user has already seen of a stream must not come twice.
    const isRepeatable = request.isRepeatable && relayed === 0;
    if (!answer.ok) {
      const { reason, phase, wasSent, bodyBytes } = answer.error;
      const mightHelp = reason === 'unreachable' || (reason === 'timeout' && phase === 'connect');
      return {
        outcome: err(outboundFailure(answer.error)),
        bytes: bodyBytes,
        isRetryable: mightHelp && (!wasSent || isRepeatable),
      };
    }
    const { status, bodyBytes } = answer.value;
    return {
      outcome: answerBody(answer.value, streamed, clock.now()),
      bytes: bodyBytes,
      isRetryable: isRepeatable && retryableStatuses.has(status) && !answer.value.headers.has('retry-after'),
    };
  };
}
