import { mirroredHeaders } from '#adapter/mirrored-headers.ts';
import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { encodeHeaderValue } from '#wire/header-value.ts';
import { PARAM_HEADER_KEY, type ParamHeader, paramHeaders } from '#wire/param-headers.ts';
import { isModernRevision, metaKeys } from '#wire/protocol.ts';

/** Which arguments of which tools are mirrored into headers, learned from the lists that pass by. */
export interface ParamMemory {
  learn(result: string): void;
  of(tool: string): readonly ParamHeader[];
}

const maxTools = 10_000;

export function createParamMemory(): ParamMemory {
  const known = new Map<string, readonly ParamHeader[]>();
  return {
    learn(text) {
      // Most lists hold none: they are not parsed for it.
      if (!text.includes(PARAM_HEADER_KEY)) return;
      for (const { name, inputSchema } of toolsOf(text)) {
        const found = paramHeaders(inputSchema);
        if (found.ok && known.size < maxTools) known.set(name, found.value);
      }
    },
    of: (tool) => known.get(tool) ?? [],
  };
}

/** The revision that a message names for itself; undefined: it belongs to a session. */
export function modernRevisionOf(params: JsonObject): string | undefined {
  const { _meta: meta } = params;
  const revision = isJsonObject(meta) ? stringAt(meta, metaKeys.protocolVersion) : undefined;
  return revision !== undefined && isModernRevision(revision) ? revision : undefined;
}

/** What a request of 2026-07-28 says in its headers as well as in its body. */
export function modernHeaders(
  method: string,
  params: JsonObject,
  revision: string,
  memory: ParamMemory,
): Readonly<Record<string, string>> {
  const name = stringAt(params, method === 'resources/read' ? 'uri' : 'name');
  const isNamed = method === 'tools/call' || method === 'prompts/get' || method === 'resources/read';
  const mirrored =
    method === 'tools/call' && name !== undefined
      ? mirroredHeaders(memory.of(name), isJsonObject(params.arguments) ? params.arguments : {})
      : {};
  return {
    'MCP-Protocol-Version': revision,
    'Mcp-Method': method,
    ...(isNamed && name !== undefined && { 'Mcp-Name': encodeHeaderValue(name) }),
    ...mirrored,
  };
}

function toolsOf(text: string): readonly { readonly name: string; readonly inputSchema: JsonObject }[] {
  const parsed = parseJson(text);
  const result = parsed.ok && isJsonObject(parsed.value) ? parsed.value.result : undefined;
  const tools: readonly unknown[] = isJsonObject(result) && Array.isArray(result.tools) ? result.tools : [];
  return tools.flatMap((tool) => {
    if (!isJsonObject(tool) || !isJsonObject(tool.inputSchema)) return [];
    const name = stringAt(tool, 'name');
    return name === undefined ? [] : [{ name, inputSchema: tool.inputSchema }];
  });
}
