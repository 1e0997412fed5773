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
const body = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/list',
  params: {
    _meta: {
      [metaKeys.protocolVersion]: revision,
      [metaKeys.clientInfo]: { name: 'cortex-gateway', version: '1' },
      [metaKeys.clientCapabilities]: {},
    },
  },
});

/**
 * Asks a server for its tools without a token, to see its 401 (RFC 9728 section 5.1). Not `initialize`: some let that
 * pass and challenge what comes after.
 */
export async function probeServer(outbound: Outbound, url: string, timeoutMs: number): Promise<Probe> {
  const answer = await outbound.request({
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': revision,
      'mcp-method': 'tools/list',
    },
    body,
    timeoutMs,
    maxBytes,
    signal: undefined,
    pool: undefined,
    onEvent: () => true,
  });
  if (answer.ok) {
    const { status, headers } = answer.value;
    const challenge = status === 401 ? parseBearerChallenge(headers.get('www-authenticate')) : undefined;
    return challenge === undefined ? { kind: 'none' } : { kind: 'challenged', challenge };
  }
  const { reason, detail, phase } = answer.error;
  if (isRefused({ reason, detail })) return { kind: 'refused', detail };
  return phase === 'body' ? { kind: 'none' } : { kind: 'unreachable', detail };
}
