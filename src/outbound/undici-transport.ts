import type { Dispatcher } from 'undici-http';
import type { OutboundFailure } from './outbound.ts';
import { createPools } from './pools.ts';
import type { Transport, TransportOptions } from './transport.ts';

/** Requests over undici, pooled per origin and key. */
export function createUndiciTransport(options: TransportOptions): Transport {
  const pools = createPools(options);

  return {
    send(target, request, sink) {
      const pool = pools.get(target.origin, request.pool);
      if (pool === undefined) {
        sink.fails('cancelled', 'closed');
        return () => {};
      }
      let controller: Dispatcher.DispatchController | undefined;
      let isOver = false;
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart(started) {
          controller = started;
          // Given up while the connection was still being made: nothing is sent.
          if (isOver || !sink.starts()) started.abort(new Error('given up'));
        },
        onResponseStart(_controller, status, fields) {
          if (status < 200 || isOver) return;
          const headers = new Map<string, string>();
          for (const [name, value] of Object.entries(fields)) {
            if (value !== undefined) headers.set(name, typeof value === 'string' ? value : value.join(', '));
          }
          sink.head(status, headers);
        },
        onResponseData(_controller, chunk) {
          if (!isOver) sink.data(chunk);
        },
        onResponseEnd() {
          controller = undefined;
          if (!isOver) sink.ends();
        },
        onResponseError(_controller, error) {
          controller = undefined;
          const detail = errorCode(error);
          if (!isOver) sink.fails(reasonOf(detail), detail);
        },
      };
      pool.dispatch(
        {
          path: target.path,
          method: request.method,
          headers: Object.assign({}, ...(request.shared ?? []), request.headers),
          body: request.body,
        },
        handler,
      );
      return () => {
        isOver = true;
        controller?.abort(new Error('given up'));
      };
    },
    close: () => pools.close(),
  };
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
    case 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH':
      return 'invalid_request';
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return 'cancelled';
    default:
      return 'unreachable';
  }
}
