import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { legacyRevisions, mcpHeaders, metaKeys, modernRevisions } from '#wire/protocol.ts';
import { release } from '../release.ts';
import type { Known } from './finding.ts';

/** A request as a client of one of the two eras sends it. */
export interface RpcRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const accept = 'application/json, text/event-stream';
const clientInfo = { name: 'cortex-doctor', version: release.version };
const [modernRevision] = modernRevisions;
const [legacyRevision] = legacyRevisions;

export function modernRpc(known: Pick<Known, 'token'>, method: string, params: JsonObject = {}): RpcRequest {
  const { name } = params;
  const _meta = {
    [metaKeys.protocolVersion]: modernRevision,
    [metaKeys.clientInfo]: clientInfo,
    [metaKeys.clientCapabilities]: {},
  };
  return {
    headers: {
      ...bearer(known),
      accept,
      'content-type': 'application/json',
      [mcpHeaders.protocolVersion]: modernRevision,
      [mcpHeaders.method]: method,
      ...(typeof name === 'string' && { [mcpHeaders.name]: name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } }),
  };
}

export function initializeRpc(known: Pick<Known, 'token'>): RpcRequest {
  const params = { protocolVersion: legacyRevision, capabilities: {}, clientInfo };
  return {
    headers: { ...bearer(known), accept, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  };
}

/** Headers of what belongs to a session of the older protocol. */
export function sessionHeaders(known: Pick<Known, 'token' | 'session'>): Readonly<Record<string, string>> {
  return {
    ...bearer(known),
    [mcpHeaders.protocolVersion]: legacyRevision,
    ...(known.session !== undefined && { [mcpHeaders.session]: known.session }),
  };
}

function bearer({ token }: Pick<Known, 'token'>): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export function resultOf(message: JsonObject | undefined): JsonObject | undefined {
  return isJsonObject(message?.result) ? message.result : undefined;
}

/** What a JSON-RPC error says, for people. */
export function errorOf(message: JsonObject | undefined): string {
  const error = message?.error;
  if (!isJsonObject(error)) return 'neither result nor error';
  return `${String(error.code)} ${String(error.message)}`;
}
