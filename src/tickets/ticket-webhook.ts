import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import type { Outbound } from '#outbound/outbound.ts';

const MAX_IN_FLIGHT = 8;
const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Tells the operator's webhook of a ticket. */
export interface TicketWebhook {
  /** Returns at once; a failure, or one too many at the same time, is logged and not repeated. */
  send(payload: JsonObject): void;
  /** Aborts what is under way. */
  close(): void;
}

/** The address is never logged: webhooks carry their secret in it. */
export function createTicketWebhook(deps: {
  readonly outbound: Outbound;
  readonly url: () => string | undefined;
  readonly log: Log;
}): TicketWebhook {
  const { outbound, log } = deps;
  const closing = new AbortController();
  let inFlight = 0;

  const post = async (url: string, payload: JsonObject): Promise<void> => {
    const answer = await outbound.request({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
      signal: closing.signal,
      pool: undefined,
      onEvent: undefined,
    });
    if (!answer.ok) log.warn('ticket.webhook_failed', { reason: answer.error.reason });
    else if (answer.value.status >= 300) log.warn('ticket.webhook_failed', { status: answer.value.status });
  };

  return {
    send(payload) {
      const url = deps.url();
      if (url === undefined || closing.signal.aborted) return;
      if (inFlight >= MAX_IN_FLIGHT) {
        log.warn('ticket.webhook_dropped', { inFlight });
        return;
      }
      inFlight++;
      post(url, payload)
        .catch((cause: unknown) => log.error('ticket.webhook_failed', { message: String(cause) }))
        .finally(() => {
          inFlight--;
        });
    },
    close: () => closing.abort(),
  };
}
