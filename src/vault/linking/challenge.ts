import type { Outbound } from '#outbound/outbound.ts';
import { type BearerChallenge, parseBearerChallenge } from '#wire/bearer-challenge.ts';
import { metaKeys, modernRevisions } from '#wire/protocol.ts';

import { isRefused } from './read-document.ts';

/** `none`: the server answered, without asking for a token in a way that says more than that. */
export type Probe =
  | { readonly kind: 'challenged'; readonly challenge: BearerChallenge }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreachable' | 'refused'; readonly detail: string };

const maxBytes = 64 * 1024;
const revision = modernRevisions[0];
const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const usual = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** As of today, then as of 2025-03-26: an old server may refuse a revision that it does not know before it asks for a token. */
const questions = [
  {
    headers: { ...usual, 'mcp-protocol-version': revision, 'mcp-method': list.method },
    body: JSON.stringify({
      ...list,
      params: {
        _meta: {
          [metaKeys.protocolVersion]: revision,
          [metaKeys.clientInfo]: { name: 'cortex-gateway', version: '1' },
          [metaKeys.clientCapabilities]: {},
        },
      },
    }),
  },
  { headers: usual, body: JSON.stringify(list) },
] as const;

/**
 * Asks a server for its tools without a token, to see its 401 (RFC 9728 section 5.1). Not `initialize`: some let that
 * pass and challenge what comes after, and it would open a session.
 */
export async function probeServer(outbound: Outbound, url: string, timeoutMs: number): Promise<Probe> {
  for (const question of questions) {
    const answer = await outbound.request({
      ...question,
      method: 'POST',
      url,
      timeoutMs,
      maxBytes,
      signal: undefined,
      pool: undefined,
      onEvent: () => true,
    });
    if (!answer.ok) {
      if (isRefused(answer.error)) return { kind: 'refused', detail: answer.error.detail };
      if (answer.error.phase === 'body') return { kind: 'none' };
      return { kind: 'unreachable', detail: answer.error.detail };
    }
    const { status, headers } = answer.value;
    const challenge = status === 401 ? parseBearerChallenge(headers.get('www-authenticate')) : undefined;
    if (challenge !== undefined) return { kind: 'challenged', challenge };
    if (status === 401 || status < 400 || status >= 500) return { kind: 'none' };
  }
  return { kind: 'none' };
}
