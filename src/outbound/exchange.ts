import { err, ok, type Result } from '#kernel/result.ts';
import type { OutboundFailure, OutboundRequest, OutboundResponse } from './outbound.ts';
import { createSseReader, type SseReader } from './sse-reader.ts';
import type { Target } from './target.ts';
import type { AnswerSink, Transport } from './transport.ts';

/** A finished event stream may take this long to close by itself, which keeps the connection for the next call. */
const lingerMs = 250;

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Sends one request and reads the whole answer, under one deadline and one byte cap. */
export function exchange(
  transport: Transport,
  target: Target | undefined,
  request: OutboundRequest,
): Promise<Result<OutboundResponse, OutboundFailure>> {
  return new Promise((resolve) => {
    const { signal, maxBytes } = request;
    const chunks: Buffer[] = [];
    let phase: OutboundFailure['phase'] = 'connect';
    let status = 0;
    let headers: ReadonlyMap<string, string> = noHeaders;
    let bodyBytes = 0;
    let isSettled = false;
    let reader: SseReader | undefined;
    let giveUp: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function settle(result: Result<OutboundResponse, OutboundFailure>): void {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve(result);
    }
    function fail(reason: OutboundFailure['reason'], detail: string): void {
      settle(err({ reason, phase, wasSent: phase !== 'connect', detail, bodyBytes }));
      giveUp?.();
    }
    function succeed(body: string): void {
      settle(ok({ status, headers, body, bodyBytes, isStream: reader !== undefined }));
    }
    function onAbort(): void {
      fail('cancelled', 'aborted');
    }

    const sink: AnswerSink = {
      starts() {
        if (isSettled) return false;
        phase = 'head';
        return true;
      },
      head(answered, fields) {
        phase = 'body';
        status = answered;
        headers = fields;
        const encoding = headers.get('content-encoding');
        if (encoding !== undefined && encoding !== 'identity') return fail('bad_encoding', 'compressed');
        if (Number(headers.get('content-length') ?? 0) > maxBytes) return fail('too_large', 'announced');
        if (request.onEvent !== undefined && status === 200 && isEventStream(headers)) {
          reader = createSseReader(request.onEvent);
        }
      },
      data(chunk) {
        if (isSettled) return;
        bodyBytes += chunk.length;
        if (bodyBytes > maxBytes) return fail('too_large', 'read');
        if (reader === undefined) {
          chunks.push(chunk);
          return;
        }
        const outcome = reader.push(chunk);
        if (outcome === 'bad_encoding') return fail('bad_encoding', 'stream');
        if (outcome !== 'done') return;
        succeed('');
        setTimeout(() => giveUp?.(), lingerMs);
      },
      ends() {
        giveUp = undefined;
        if (isSettled) return;
        if (reader !== undefined) return succeed('');
        const body = decode(chunks);
        if (body === undefined) return fail('bad_encoding', 'body');
        succeed(body);
      },
      fails(reason, detail) {
        giveUp = undefined;
        fail(reason, detail);
      },
    };

    if (target === undefined) return fail('invalid_request', 'address');
    if (signal?.aborted === true) return onAbort();
    signal?.addEventListener('abort', onAbort);
    timer = setTimeout(() => fail('timeout', phase), request.timeoutMs);
    const stop = transport.send(target, request, sink);
    if (!isSettled) giveUp = stop;
  });
}

const noHeaders: ReadonlyMap<string, string> = new Map();

function isEventStream(headers: ReadonlyMap<string, string>): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '');
}

function decode(chunks: readonly Buffer[]): string | undefined {
  const [first] = chunks;
  const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
