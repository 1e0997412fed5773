import type { CancelSignal } from '#kernel/cancellation.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OutboundFailure, OutboundRequest, OutboundResponse } from './outbound.ts';
import { createSseReader, type SseReader } from './sse-reader.ts';
import type { Target } from './target.ts';
import type { AnswerSink, Transport } from './transport.ts';

/** A finished event stream may take this long to close by itself, which keeps the connection for the next call. */
const lingerMs = 250;

const decoder = new TextDecoder('utf-8', { fatal: true });

type Outcome = Result<OutboundResponse, OutboundFailure>;

/** Sends one request and reads the whole answer, under one deadline and one byte cap. */
export function exchange(
  transport: Transport,
  target: Target | undefined,
  request: OutboundRequest,
): Promise<Outcome> {
  return new Promise((resolve) => new Exchange(request, resolve).begin(transport, target));
}

/** An object with methods: a dozen closures for each request were a tenth of what a call costs. */
class Exchange implements AnswerSink {
  readonly #request: OutboundRequest;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #signal: CancelSignal | undefined;
  #onAbort: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #giveUp: (() => void) | undefined;
  #phase: OutboundFailure['phase'] = 'connect';
  #status = 0;
  #headers: ReadonlyMap<string, string> = noHeaders;
  #first: Buffer | undefined;
  /** With the first; undefined while that is the only one. */
  #chunks: Buffer[] | undefined;
  #bodyBytes = 0;
  #reader: SseReader | undefined;
  #isSettled = false;

  constructor(request: OutboundRequest, resolve: (outcome: Outcome) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#signal = request.signal;
  }

  begin(transport: Transport, target: Target | undefined): void {
    if (target === undefined) return void this.#fail('invalid_request', 'address');
    if (this.#signal !== undefined) {
      if (this.#signal.aborted) return void this.#fail('cancelled', 'aborted');
      this.#onAbort = () => this.#fail('cancelled', 'aborted');
      this.#signal.addEventListener('abort', this.#onAbort);
    }
    this.#timer = setTimeout(() => this.#fail('timeout', this.#phase), this.#request.timeoutMs);
    const stop = transport.send(target, this.#request, this);
    if (!this.#isSettled) this.#giveUp = stop;
  }

  starts(): boolean {
    if (this.#isSettled) return false;
    this.#phase = 'head';
    return true;
  }

  head(status: number, headers: ReadonlyMap<string, string>): void {
    this.#phase = 'body';
    this.#status = status;
    this.#headers = headers;
    const { maxBytes, onEvent } = this.#request;
    const encoding = headers.get('content-encoding');
    if (encoding !== undefined && encoding !== 'identity')
      return void this.#fail('bad_encoding', 'compressed');
    if (Number(headers.get('content-length') ?? 0) > maxBytes)
      return void this.#fail('too_large', 'announced');
    if (onEvent !== undefined && status === 200 && isEventStream(headers)) {
      this.#reader = createSseReader(onEvent, this.#request.onPosition);
    }
  }

  data(chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#request.maxBytes) return void this.#fail('too_large', 'read');
    if (this.#reader === undefined) return void this.#keep(chunk);
    const outcome = this.#reader.push(chunk);
    this.#request.onStreamBytes?.();
    if (outcome === 'bad_encoding') return void this.#fail('bad_encoding', 'stream');
    if (outcome !== 'done') return;
    this.#succeed('');
    setTimeout(() => this.#giveUp?.(), lingerMs);
  }

  ends(): void {
    this.#giveUp = undefined;
    if (this.#isSettled) return;
    if (this.#reader !== undefined) return void this.#succeed('');
    const body = this.#body();
    if (body === undefined) return void this.#fail('bad_encoding', 'body');
    this.#succeed(body);
  }

  fails(reason: OutboundFailure['reason'], detail: string): void {
    this.#giveUp = undefined;
    this.#fail(reason, detail);
  }

  #keep(chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk;
    else if (this.#chunks === undefined) this.#chunks = [this.#first, chunk];
    else this.#chunks.push(chunk);
  }

  #body(): string | undefined {
    const bytes = this.#chunks === undefined ? this.#first : Buffer.concat(this.#chunks);
    if (bytes === undefined) return '';
    try {
      return decoder.decode(bytes);
    } catch {
      return undefined;
    }
  }

  #settle(outcome: Outcome): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#resolve(outcome);
  }

  #fail(reason: OutboundFailure['reason'], detail: string): void {
    const phase = this.#phase;
    this.#settle(err({ reason, phase, wasSent: phase !== 'connect', detail, bodyBytes: this.#bodyBytes }));
    this.#giveUp?.();
  }

  #succeed(body: string): void {
    this.#settle(
      ok({
        status: this.#status,
        headers: this.#headers,
        body,
        bodyBytes: this.#bodyBytes,
        isStream: this.#reader !== undefined,
      }),
    );
  }
}

const noHeaders: ReadonlyMap<string, string> = new Map();

function isEventStream(headers: ReadonlyMap<string, string>): boolean {
  return /^text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '');
}
