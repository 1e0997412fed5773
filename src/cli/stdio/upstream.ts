import { joinSignals } from '#adapter/joined-signal.ts';
import { pause } from '#adapter/pause.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import type { Tokens } from './tokens.ts';

export interface UpstreamRequest {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** A stream that stays open and is heard from all the time, if only by comments. */
  readonly isStream: boolean;
  /** Whether it may be sent twice, because nothing can be done twice by it. */
  readonly isRepeatable: boolean;
  /** Nobody waits for it, so nobody is to be signed in for it. */
  readonly isBackground?: boolean;
  /** Hears that a stream has begun. */
  readonly onOpen?: () => void;
  /** Takes the data of each event; true: that was all. */
  readonly onData: (data: string) => boolean;
}

/** What came of it. `broken`: there is no answer; `wasSent`: the gateway may have done what it was asked. */
export type UpstreamAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: string;
      readonly wasStream: boolean;
    }
  | { readonly kind: 'broken'; readonly wasSent: boolean; readonly detail: string };

export interface Upstream {
  /** Throws a `UserError` where nobody is, or can be, signed in. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
}

const hourMs = 3_600_000;
const maxAnswerBytes = 64 * 1024 * 1024;
/** The gateway says something on a stream every 15 s. */
const silenceMs = 60_000;
/** About 15 s in all: a gateway that is restarted is back by then. */
const retryPausesMs = [250, 500, 1_000, 2_000, 4_000, 8_000];

/** The gateway over HTTP, as the person who is signed in: refused tokens are replaced, lost connections made again. */
export function createUpstream(deps: {
  readonly url: string;
  readonly outbound: Outbound;
  readonly tokens: Tokens;
  readonly userAgent: string;
  readonly note: (text: string) => void;
}): Upstream {
  const { url, outbound, tokens, note } = deps;

  async function attempt(request: UpstreamRequest, token: Secret | undefined): Promise<UpstreamAnswer> {
    const silence = new AbortController();
    const { signal, release } = joinSignals(request.signal, silence.signal);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
    };
    let isOpen = false;
    if (request.isStream) listen();
    try {
      const answer = await outbound.request({
        method: request.method,
        url,
        headers: {
          ...(request.method === 'POST' && { 'content-type': 'application/json' }),
          accept: request.method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
          'user-agent': deps.userAgent,
          ...request.headers,
          ...(token !== undefined && { authorization: `Bearer ${token.reveal()}` }),
        },
        body: request.body,
        timeoutMs: request.isStream ? 24 * hourMs : hourMs,
        maxBytes: request.isStream ? Number.MAX_SAFE_INTEGER : maxAnswerBytes,
        signal,
        pool: request.isStream ? 'streams' : 'calls',
        onEvent: ({ event, data }) => event === 'message' && data.trim() !== '' && request.onData(data),
        onStreamBytes() {
          listen();
          if (!isOpen) request.onOpen?.();
          isOpen = true;
        },
      });
      if (!answer.ok) {
        const { reason, detail, wasSent } = answer.error;
        const isSilent = silence.signal.aborted && !request.signal.aborted;
        return {
          kind: 'broken',
          wasSent,
          detail: isSilent ? 'nothing was heard for a minute' : `${reason} (${detail})`,
        };
      }
      const { status, headers, body, isStream: wasStream } = answer.value;
      return { kind: 'answered', status, headers, body, wasStream };
    } finally {
      clearTimeout(timer);
      release();
    }
  }

  /** As the person: with another token where this one is refused, or holds too little; once each. */
  async function authorized(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const mayAsk = request.isBackground !== true;
    let token = await tokens.current();
    let answer = await attempt(request, token);
    if (answer.kind === 'answered' && answer.status === 401) {
      const other = await tokens.renew(token, { mayAsk });
      if (other === undefined) return answer;
      token = other;
      answer = await attempt(request, token);
    }
    if (answer.kind !== 'answered' || answer.status !== 403 || !mayAsk) return answer;
    const challenge = parseBearerChallenge(answer.headers.get('www-authenticate'));
    if (challenge?.error !== 'insufficient_scope') return answer;
    const wider = await tokens.renew(token, { mayAsk, scopes: challenge.scopes ?? [] });
    return wider === undefined ? answer : attempt(request, wider);
  }

  return {
    async send(request) {
      let isTold = false;
      for (const pauseMs of [...retryPausesMs, undefined]) {
        const answer = await authorized(request);
        const isDown = answer.kind === 'broken' || [502, 503, 504].includes(answer.status);
        const mayRepeat = request.isRepeatable || (answer.kind === 'broken' && !answer.wasSent);
        if (!isDown || !mayRepeat || pauseMs === undefined || request.signal.aborted) return answer;
        const why = answer.kind === 'broken' ? answer.detail : `status ${answer.status}`;
        if (!isTold) note(`The gateway does not answer (${why}); trying again.`);
        isTold = true;
        if (!(await pause(pauseMs, request.signal))) return answer;
      }
      throw new Error('a request without an end');
    },
  };
}
