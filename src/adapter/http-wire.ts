import type { BackendFailure, IdentityMode, IdentityResolver, ResolvedIdentity } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { statusFailure } from '#backends/status-failure.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import type { Wire, WireAnswer, WireRequest, Wires } from './channel.ts';
import { type Credentials, createCredentials } from './credentials.ts';
import { createHttpAttempt, type HttpAttempt, type HttpAttemptRequest } from './http-attempt.ts';
import { joinSignals, orAborted } from './joined-signal.ts';
import { pause } from './pause.ts';

export interface HttpWireOptions {
  readonly id: BackendId;
  /** The endpoint, path included. */
  readonly url: string;
  readonly mode: IdentityMode;
  /** Whose account the wires without an owner use. */
  readonly catalogOwner: Principal;
  readonly userAgent: string;
}
export interface HttpWireDeps {
  readonly outbound: Outbound;
  readonly identity: IdentityResolver;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

const retryPauseMs = 50;
const retryJitterMs = 100;
/** Where the server does not say after how long a stream is to be taken up again. */
const resumeMs = 1_000;
const maxResumeMs = 30_000;
/** Times in a row that a stream taken up again brought nothing. */
const maxFruitless = 5;
/** Of one request, whatever they brought. */
const maxResumes = 200;
const sendTimeoutMs = 10_000;
const endTimeoutMs = 2_000;
const maxSendBytes = 256 * 1024;

/** Streamable HTTP in both eras: where each message goes, as whom, and what to do when the way breaks. */
export function createHttpWires(options: HttpWireOptions, deps: HttpWireDeps): Wires {
  const { id, url, mode } = options;
  const attempt = createHttpAttempt(url, options.userAgent, deps.outbound);
  return {
    isShared: false,
    async open(owner) {
      const target = { backend: id, mode, url };
      const credentials = createCredentials(owner ?? options.catalogOwner, target, deps.identity);
      return ok(createHttpWire(id, owner?.key ?? '', credentials, attempt, deps));
    },
    async close() {},
  };
}

function createHttpWire(
  id: BackendId,
  ownerKey: string,
  credentials: Credentials,
  attempt: (request: HttpAttemptRequest, identity: ResolvedIdentity) => Promise<HttpAttempt>,
  { clock, random }: HttpWireDeps,
): Wire {
  const closing = new AbortController();
  let mode: IdentityMode | undefined;

  /** One request under the right identity: another one after a 401, once. */
  async function authorized(request: HttpAttemptRequest): Promise<HttpAttempt> {
    const resolved = await orAborted(credentials.resolve(), request.signal);
    if (resolved === undefined) return refused(failure('cancelled'));
    if (!resolved.ok) return refused(resolved.error);
    mode = resolved.value.mode;
    const first = await attempt(request, resolved.value);
    if (!first.outcome.ok || first.outcome.value.status !== 401) return judged(first);
    const other = await orAborted(credentials.rejected(resolved.value), request.signal);
    if (other === undefined) return refused(failure('cancelled'));
    if (!other.ok) return refused(other.error);
    const second = await attempt(request, other.value);
    if (!second.outcome.ok || second.outcome.value.status !== 401) return judged(second);
    return refused(failure('link_required', { status: 401 }));
  }

  /** A status that is no answer to anybody's request becomes a failure; the rest is for the era to read. */
  function judged(made: HttpAttempt): HttpAttempt {
    if (!made.outcome.ok) return made;
    const { status, headers, response } = made.outcome.value;
    if (status === 403) {
      const challenge = parseBearerChallenge(headers.get('www-authenticate'));
      const isInsufficient = challenge?.error === 'insufficient_scope';
      const why = isInsufficient
        ? credentials.insufficient(challenge.scopes ?? [])
        : failure('denied', { status });
      return { ...made, outcome: err(why) };
    }
    const isFailure = status === 429 || status >= 500 || (status >= 300 && status < 400);
    if (!isFailure || (response !== undefined && status !== 429)) return made;
    const body = { status, headers, body: '', bodyBytes: 0, isStream: false };
    return { ...made, outcome: err(statusFailure(body, clock.now())), mightHelp: status >= 502 };
  }

  /** Once more where nothing can be done twice by it. */
  async function persistent(request: HttpAttemptRequest, isRepeatable: boolean): Promise<HttpAttempt> {
    const deadline = clock.monotonic() + request.timeoutMs;
    let relayed = 0;
    const onMessage: HttpAttemptRequest['onMessage'] = (message) => {
      relayed++;
      request.onMessage(message);
    };
    const first = await authorized({ ...request, onMessage });
    const mayRepeat = !first.wasSent || (isRepeatable && relayed === 0);
    if (first.outcome.ok || !first.mightHelp || !mayRepeat || first.brokeAt !== undefined) return first;
    const pauseMs = retryPauseMs + random() * retryJitterMs;
    const timeoutMs = deadline - clock.monotonic() - pauseMs;
    if (timeoutMs <= 0 || !(await pause(pauseMs, request.signal ?? closing.signal))) return first;
    return authorized({ ...request, timeoutMs });
  }

  /** What runs with a signal of its own is over when the wire is. */
  async function joined<T>(own: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, release } = joinSignals(own, closing.signal);
    try {
      return await run(signal);
    } finally {
      release();
    }
  }

  async function request(
    asked: WireRequest,
    signal: AbortSignal,
  ): Promise<Result<WireAnswer, BackendFailure>> {
    const deadline = clock.monotonic() + asked.timeoutMs;
    const common = {
      headers: asked.headers,
      id: asked.id,
      signal,
      onMessage: asked.onMessage,
      pool: poolOf(asked),
    };
    let { maxBytes } = asked;
    let made = await persistent(
      { ...common, method: 'POST', text: asked.text, timeoutMs: asked.timeoutMs, maxBytes },
      asked.isRepeatable,
    );
    let fruitless = 0;
    let lastId: string | undefined;
    for (let resumes = 0; made.brokeAt !== undefined; resumes++) {
      const at = made.brokeAt.id ?? lastId;
      const isHopeless = fruitless >= maxFruitless || resumes >= maxResumes;
      if (!asked.isResumable || at === undefined || isHopeless) return err(brokenOff(made));
      fruitless = at === lastId ? fruitless + 1 : 0;
      lastId = at;
      maxBytes -= made.bytes;
      const waitMs = Math.min(made.brokeAt.retryMs ?? resumeMs, maxResumeMs);
      const timeoutMs = deadline - clock.monotonic() - waitMs;
      if (timeoutMs <= 0) return err(failure('timeout'));
      if (maxBytes <= 0) return err(failure('too_large'));
      if (!(await pause(waitMs, signal))) return err(failure('cancelled'));
      const headers = { ...asked.headers, 'Last-Event-ID': at };
      const again = await authorized({
        ...common,
        headers,
        method: 'GET',
        text: undefined,
        timeoutMs,
        maxBytes,
      });
      if (again.outcome.ok && again.outcome.value.status !== 200) return err(brokenOff(made));
      const isUnreachable = !again.outcome.ok && again.mightHelp && again.brokeAt === undefined;
      made = isUnreachable ? { ...again, brokeAt: made.brokeAt } : again;
    }
    return made.outcome;
  }

  /** Calls that wait for their users hold connections: their principal's own, and nobody else's. */
  function poolOf({ lane }: WireRequest): string {
    return lane === 'call' ? `${id} call ${ownerKey}` : `${id} ${lane}`;
  }

  return {
    http: {
      async listen(asked) {
        const listen = {
          ...asked,
          method: 'GET',
          text: undefined,
          id: undefined,
          pool: `${id} stream`,
        } as const;
        const made = await joined(asked.signal, (signal) => authorized({ ...listen, signal }));
        return made.outcome;
      },
      async end(headers) {
        await authorized({
          ...plain,
          headers,
          method: 'DELETE',
          text: undefined,
          pool: `${id} list`,
          signal: undefined,
          timeoutMs: endTimeoutMs,
        });
      },
    },
    mode: () => mode,
    request: (asked) => joined(asked.signal, (signal) => request(asked, signal)),
    async send({ text, headers, timeoutMs }) {
      // Never behind the calls, which may be waiting for this very answer.
      const pool = `${id} list`;
      const made = await persistent(
        { ...plain, headers, method: 'POST', text, timeoutMs, pool, signal: closing.signal },
        false,
      );
      if (!made.outcome.ok) return made.outcome;
      const { status } = made.outcome.value;
      return status >= 200 && status < 300 ? ok(undefined) : err(failure('invalid', { status }));
    },
    async close() {
      closing.abort();
    },
  };
}

const plain = { id: undefined, timeoutMs: sendTimeoutMs, maxBytes: maxSendBytes, onMessage: () => {} };

function refused(why: BackendFailure): HttpAttempt {
  return { outcome: err(why), bytes: 0, brokeAt: undefined, mightHelp: false, wasSent: true };
}

function brokenOff(made: HttpAttempt): BackendFailure {
  if (!made.outcome.ok) return made.outcome.error;
  return failure('unreachable', { message: 'The server ended its stream without a result.' });
}
