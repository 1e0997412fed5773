import type { BackendFailure, ResolvedIdentity } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { outboundFailure } from '#backends/outbound-failure.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound, OutboundFailure, OutboundResponse } from '#outbound/outbound.ts';
import type { StreamPosition } from '#outbound/sse-reader.ts';
import type { RpcId } from '#wire/json-rpc.ts';
import type { PeerMessage, WireAnswer } from './channel.ts';
import { readPeerMessage, readResponseBody } from './peer-message.ts';

export interface HttpAttemptRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly text: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: whatever comes is no response of ours (a notification was sent, or the server is listened to). */
  readonly id: RpcId | undefined;
  readonly pool: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly onMessage: (message: PeerMessage) => void;
}

/** What one HTTP exchange came to. */
export interface HttpAttempt {
  readonly outcome: Result<WireAnswer, BackendFailure>;
  readonly bytes: number;
  /** The stream ended or broke before the response, and can be taken up again here. */
  readonly brokeAt: StreamPosition | undefined;
  /** Sending it once more might help; `wasSent`: it may have been received already. */
  readonly mightHelp: boolean;
  readonly wasSent: boolean;
}

export type SendHttp = (request: HttpAttemptRequest, identity: ResolvedIdentity) => Promise<HttpAttempt>;

/** Makes the one way by which a byte reaches a server over HTTP. A redirect is an answer like any other (R39). */
export function createHttpAttempt(url: string, userAgent: string, outbound: Outbound): SendHttp {
  return async (request, identity) => {
    let response: PeerMessage | undefined;
    let isMalformed = false;
    let position: StreamPosition | undefined;
    const answered = await outbound.request({
      method: request.method,
      url,
      headers: {
        ...request.headers,
        ...contentHeaders(request),
        ...identity.headers,
        'User-Agent': userAgent,
      },
      body: request.text,
      timeoutMs: request.timeoutMs,
      maxBytes: request.maxBytes,
      signal: request.signal,
      pool: request.pool,
      onEvent({ event, data }) {
        // An event without data only says where the stream is; other names are not of this protocol.
        if (event !== 'message' || data.trim() === '') return false;
        const read = readPeerMessage(data);
        if (read === 'not_json') isMalformed = true;
        else if (read !== 'no_message') {
          const { message } = read;
          if (message.kind !== 'response') request.onMessage(read);
          else if (message.id === request.id) response = read;
        }
        return isMalformed || response !== undefined;
      },
      onPosition(reached) {
        position = reached;
      },
    });
    if (!answered.ok) return broken(answered.error, position);
    const { status, headers, bodyBytes: bytes, isStream } = answered.value;
    const answer = { status, headers, bytes };
    if (isMalformed) {
      return settled(
        err(failure('not_json', { status, message: 'The server sent something that is no JSON.' })),
        bytes,
      );
    }
    if (isStream) {
      const brokeAt = response === undefined ? (position ?? nowhere) : undefined;
      return { ...settled(ok({ ...answer, response }), bytes), brokeAt };
    }
    if (request.id !== undefined) response = readResponseBody(answered.value.body, request.id);
    const isOkWithoutAnswer = response === undefined && request.id !== undefined && status === 200;
    if (isOkWithoutAnswer) return settled(err(unreadable(answered.value)), bytes);
    return settled(ok({ ...answer, response }), bytes);
  };
}

const nowhere: StreamPosition = { id: undefined, retryMs: undefined };

function contentHeaders({ method }: HttpAttemptRequest): Record<string, string> {
  if (method === 'GET') return { Accept: 'text/event-stream' };
  if (method === 'DELETE') return {};
  return { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
}

function settled(outcome: HttpAttempt['outcome'], bytes: number): HttpAttempt {
  return { outcome, bytes, brokeAt: undefined, mightHelp: false, wasSent: true };
}

function broken(cause: OutboundFailure, position: StreamPosition | undefined): HttpAttempt {
  const { reason, phase, wasSent, bodyBytes: bytes } = cause;
  const isCut = reason === 'unreachable' && phase === 'body';
  return {
    outcome: err(outboundFailure(cause)),
    bytes,
    brokeAt: isCut ? position : undefined,
    mightHelp: reason === 'unreachable' || (reason === 'timeout' && phase === 'connect'),
    wasSent,
  };
}

function unreadable({ status, body }: OutboundResponse): BackendFailure {
  const what =
    body === ''
      ? 'The server answered with nothing.'
      : 'The server answered with something that is no answer to this request.';
  return failure('not_json', { status, message: what });
}
