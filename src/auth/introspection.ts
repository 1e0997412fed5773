import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { type IntrospectionAnswer, readIntrospection } from './introspection-answer.ts';
import type { IntrospectionOptions } from './options.ts';

/** One issuer, asked about tokens (RFC 7662). */
export interface Introspection {
  /**
   * Asks, or waits for the same question under way, or for its turn. The error: no answer that could be used within 2 s,
   * or no turn.
   */
  ask(token: string, key: string): Promise<Result<IntrospectionAnswer, 'introspection_unavailable'>>;
  /** Whether so many wait, since just now, that whatever can be asked later should be. */
  readonly isBusy: boolean;
  close(): void;
}

export interface IntrospectionDeps {
  readonly issuer: string;
  readonly options: IntrospectionOptions;
  readonly outbound: Pick<Outbound, 'request'>;
  readonly clock: Clock;
  readonly log: Log;
}

const logEveryMs = 5_000;

type Asked = Result<IntrospectionAnswer, 'introspection_unavailable'>;

/** Remembers nothing: what becomes of an answer is the caller's. */
export function createIntrospection(deps: IntrospectionDeps): Introspection {
  const { issuer, options, clock, log } = deps;
  const closed = new AbortController();
  const underWay = new Map<string, Promise<Asked>>();
  const { headers, fields } = credentialsOf(options);
  const waiting: (() => void)[] = [];
  let asking = 0;
  let crowdedSince: number | undefined;
  let lastLoggedAt = Number.NEGATIVE_INFINITY;

  async function request(token: string): Promise<Result<IntrospectionAnswer, string>> {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token', ...fields });
    const answer = await deps.outbound.request({
      method: 'POST',
      url: options.url,
      headers,
      body: form.toString(),
      timeoutMs: limits.introspectionTimeoutMs,
      maxBytes: limits.maxIntrospectionBytes,
      signal: closed.signal,
      pool: undefined,
      onEvent: undefined,
    });
    if (!answer.ok) return err(`${answer.error.reason} (${answer.error.detail})`);
    return readIntrospection(answer.value.status, answer.value.body);
  }

  function unavailable(error: string): Asked {
    // Strangers' tokens come here, too, and must not fill the log.
    if (clock.monotonic() - lastLoggedAt >= logEveryMs) {
      lastLoggedAt = clock.monotonic();
      log.error('auth.introspection_unavailable', { issuer, error });
    }
    return err('introspection_unavailable');
  }

  /** Whoever takes a seat gives it on: to the one who has waited longest, or back. */
  async function takeSeat(): Promise<void> {
    if (asking >= limits.maxIntrospections) {
      return new Promise((resolve) => {
        if (waiting.push(resolve) >= limits.busyIntrospections) crowdedSince ??= clock.monotonic();
      });
    }
    asking += 1;
  }

  function giveSeat(): void {
    const next = waiting.shift();
    if (waiting.length < limits.busyIntrospections) crowdedSince = undefined;
    if (next === undefined) asking -= 1;
    else next();
  }

  async function askOnce(token: string, key: string): Promise<Asked> {
    const since = clock.monotonic();
    await takeSeat();
    const isLate = clock.monotonic() - since >= limits.introspectionTimeoutMs;
    // A throwing port must not leave the question under way for ever.
    const answered = isLate
      ? err('too many at a time')
      : await request(token).catch((error: unknown) => err(String(error)));
    giveSeat();
    underWay.delete(key);
    return answered.ok ? ok(answered.value) : unavailable(answered.error);
  }

  return {
    ask(token, key) {
      const known = underWay.get(key);
      if (known !== undefined) return known;
      if (waiting.length >= limits.maxQueuedIntrospections) {
        return Promise.resolve(unavailable('too many are waiting'));
      }
      const asked = askOnce(token, key);
      underWay.set(key, asked);
      return asked;
    },
    get isBusy() {
      // For a while: a flood must not keep open what its issuer would end.
      return crowdedSince !== undefined && clock.monotonic() - crowdedSince < limits.busyIntrospectionMs;
    },
    close: () => closed.abort(),
  };
}

function credentialsOf({ client }: IntrospectionOptions): {
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
} {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  if (client.secret === undefined) return { headers, fields: { client_id: client.id } };
  const pair = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret.reveal())}`;
  return {
    headers: { ...headers, authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    fields: {},
  };
}
