import { limits } from '#kernel/limits.ts';
import { err, ok } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { AnchorSink } from './anchors.ts';

const maxAnswerBytes = 64 * 1024;

/**
 * Posts anchors as JSON lines (`application/x-ndjson`): the bodies, put one after the other, are a file that
 * `verifyAnchors` reads. Any 2xx means they were taken; nothing the answer says is believed beyond that. The address is
 * never logged: webhooks carry their secret in it.
 */
export function createWebhookSink(options: {
  readonly url: string;
  readonly token: Secret | undefined;
  readonly outbound: Outbound;
}): AnchorSink {
  const { url, token, outbound } = options;
  const closing = new AbortController();
  return {
    name: 'webhook',
    async send(lines) {
      const answer = await outbound.request({
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/x-ndjson',
          ...(token && { authorization: `Bearer ${token.reveal()}` }),
        },
        body: lines.map((line) => `${line}\n`).join(''),
        timeoutMs: limits.anchorTimeoutMs,
        maxBytes: maxAnswerBytes,
        signal: closing.signal,
        pool: undefined,
        onEvent: undefined,
      });
      if (!answer.ok) return err(answer.error.reason);
      const { status } = answer.value;
      return status >= 200 && status < 300 ? ok(undefined) : err(`status ${status}`);
    },
    close: () => closing.abort(),
  };
}
