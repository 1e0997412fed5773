import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { encodeHeaderValue } from '#wire/header-value.ts';
import type { RpcId } from '#wire/json-rpc.ts';
import { type LogLevel, metaKeys } from '#wire/protocol.ts';

export interface ClientInfo {
  readonly name: string;
  readonly version: string;
}

/** What the caller of one request can be asked and wants to hear. */
export interface RequestExtras {
  readonly capabilities: JsonObject;
  /** Undefined: no progress is wanted. */
  readonly progressToken: RpcId | undefined;
  readonly logLevel: LogLevel | undefined;
  /** W3C trace context. */
  readonly trace: Readonly<Record<string, string>>;
}

/** The methods whose `Mcp-Name` is required, and the parameter that it repeats. */
const namedBy: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** The standard headers of the modern era, with the server's own names (R41). */
export function modernHeaders(revision: string, method: string, params: JsonObject): Record<string, string> {
  const headers: Record<string, string> = { 'MCP-Protocol-Version': revision, 'Mcp-Method': method };
  const member = namedBy.get(method);
  const name = member === undefined ? undefined : stringAt(params, member);
  if (name !== undefined) headers['Mcp-Name'] = encodeHeaderValue(name);
  return headers;
}

/** The parameters of a modern request, which describes itself in `_meta`. */
export function modernParams(
  params: JsonObject,
  revision: string,
  clientInfo: ClientInfo,
  extras: RequestExtras,
): JsonObject {
  return withMeta(params, {
    ...commonMeta(extras),
    [metaKeys.protocolVersion]: revision,
    [metaKeys.clientInfo]: { ...clientInfo },
    [metaKeys.clientCapabilities]: extras.capabilities,
    ...(extras.logLevel === undefined ? {} : { [metaKeys.logLevel]: extras.logLevel }),
  });
}

/** The parameters of a legacy request: what it can do was said by `initialize`, and it is never answered with a question. */
export function legacyParams(params: JsonObject, extras: RequestExtras): JsonObject {
  const { inputResponses: _responses, requestState: _state, ...own } = params;
  return withMeta(own, commonMeta(extras));
}

function commonMeta({ progressToken, trace }: RequestExtras): JsonObject {
  return { ...trace, ...(progressToken === undefined ? {} : { progressToken }) };
}

function withMeta(params: JsonObject, meta: JsonObject): JsonObject {
  if (Object.keys(meta).length === 0) return params;
  const own = isJsonObject(params._meta) ? params._meta : {};
  return { ...params, _meta: { ...own, ...meta } };
}
