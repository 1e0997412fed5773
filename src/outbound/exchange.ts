import type { Dispatcher } from 'undici-http';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OutboundFailure, OutboundRequest, OutboundResponse } from './outbound.ts';
import type { Pools } from './pools.ts';
import { createSseReader, type SseReader } from './sse-reader.ts';

/** A finished event stream may take this long to close by itself, which keeps the connection for the next call. */
const lingerMs = 250;

/** Sends one request and reads the whole answer, under one deadline and one byte cap. */
export function exchange(
  pools: Pools,
  request: OutboundRequest,
): Promise<Result<OutboundResponse, OutboundFailure>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const headers = new Map<string, string>();
    let phase: OutboundFailure['phase'] = 'connect';
    let status = 0;
    let bodyBytes = 0;
    let isSettled = false;
    let reader: SseReader | undefined;
    let controller: Dispatcher.DispatchController | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;

    function settle(result: Result<OutboundResponse, OutboundFailure>): void {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
      resolve(result);
    }
    function fail(reason: OutboundFailure['reason'], detail: string): void {
      settle(err({ reason, phase, wasSent: phase !== 'connect', detail, bodyBytes }));
      controller?.abort(new Error(reason));
    }
    function succeed(body: string): void {
      settle(ok({ status, headers, body, bodyBytes, isStream: reader !== undefined }));
    }
    function onAbort(): void {
      fail('cancelled', 'aborted');
    }

    const url = URL.parse(request.url);
    if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
      return fail('invalid_request', 'address');
    }
    if (request.signal?.aborted === true) return onAbort();
    const pool = pools.get(url.origin, request.pool);
    if (pool === undefined) return fail('cancelled', 'closed');

    request.signal?.addEventListener('abort', onAbort);
    timer = setTimeout(() => fail('timeout', phase), request.timeoutMs);

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        // Given up while the connection was still being made: nothing is sent.
        if (isSettled) return started.abort(new Error('settled'));
        phase = 'head';
      },
      onResponseStart(_controller, statusCode, fields) {
        if (statusCode < 200 || isSettled) return;
        phase = 'body';
        status = statusCode;
        for (const [name, value] of Object.entries(fields)) {
          if (value !== undefined) headers.set(name, typeof value === 'string' ? value : value.join(', '));
        }
        const encoding = headers.get('content-encoding');
        if (encoding !== undefined && encoding !== 'identity') return fail('bad_encoding', 'compressed');
        if (Number(headers.get('content-length') ?? 0) > request.maxBytes)
          return fail('too_large', 'announced');
        if (request.onEvent !== undefined && status === 200 && isEventStream(headers)) {
          reader = createSseReader(request.onEvent);
        }
      },
      onResponseData(_controller, chunk) {
        if (isSettled) return;
        bodyBytes += chunk.length;
        if (bodyBytes > request.maxBytes) return fail('too_large', 'read');
        if (reader === undefined) {
          chunks.push(chunk);
          return;
        }
        const outcome = reader.push(chunk);
        if (outcome === 'bad_encoding') return fail('bad_encoding', 'stream');
        if (outcome !== 'done') return;
        succeed('');
        setTimeout(() => controller?.abort(new Error('done')), lingerMs);
      },
      onResponseEnd() {
        controller = undefined;
        if (isSettled) return;
        if (reader !== undefined) return succeed('');
        const body = decode(chunks);
        if (body === undefined) return fail('bad_encoding', 'body');
        succeed(body);
      },
      onResponseError(_controller, error) {
        controller = undefined;
        const detail = errorCode(error);
        fail(reasonOf(detail), detail);
      },
    };
    pool.dispatch(
      {
        path: url.pathname + url.search,
        method: request.method,
        headers: request.headers,
        body: request.body,
      },
      handler,
    );
  });
}

function isEventStream(headers: ReadonlyMap<string, string>): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '');
}

function decode(chunks: readonly Buffer[]): string | undefined {
  const [first] = chunks;
  const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function reasonOf(code: string): OutboundFailure['reason'] {
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'timeout';
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'HPE_HEADER_OVERFLOW':
      return 'too_large';
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return 'invalid_request';
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return 'cancelled';
    default:
      return 'unreachable';
  }
}
