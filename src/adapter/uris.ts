import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '#kernel/json.ts';

/** The one place where a server's URIs become the gateway's, and back (R31). */
export interface Uris {
  /** Also of a template, and of whatever else begins with a scheme. */
  toPublic(uri: string): string;
  /** Undefined: not one of this server's. */
  toOwn(uri: string): string | undefined;
}

const schemeStart = /^([a-zA-Z][a-zA-Z0-9+.-]*:)(\/\/)?/;
/** A client fetches these by itself, from where they say (MCP server/resources, "https://"). */
const direct: ReadonlySet<string> = new Set(['http:', 'https:', 'data:', 'mailto:']);

/** `rewrite` puts the server's id where the authority begins, so that servers may share a scheme; `keep` changes nothing. */
export function createUris(server: string, mode: 'rewrite' | 'keep'): Uris {
  if (mode === 'keep') return { toPublic: (uri) => uri, toOwn: (uri) => uri };
  const mark = `${server}/`;
  return {
    toPublic(uri) {
      const start = schemeStart.exec(uri);
      if (start === null || direct.has((start[1] ?? '').toLowerCase())) return uri;
      return `${start[0]}${mark}${uri.slice(start[0].length)}`;
    },
    toOwn(uri) {
      const start = schemeStart.exec(uri);
      if (start === null) return undefined;
      if (direct.has((start[1] ?? '').toLowerCase())) return uri;
      const rest = uri.slice(start[0].length);
      return rest.startsWith(mark) ? start[0] + rest.slice(mark.length) : undefined;
    },
  };
}

/** A tool's `_meta` with public `ui://` references, in both spellings of MCP Apps; the same object where there is none. */
export function publicToolMeta(meta: JsonObject, uris: Uris): JsonObject {
  const { ui } = meta;
  const flat = stringAt(meta, 'ui/resourceUri');
  const nested = isJsonObject(ui) ? stringAt(ui, 'resourceUri') : undefined;
  if (flat === undefined && nested === undefined) return meta;
  return {
    ...meta,
    ...(flat === undefined ? {} : { 'ui/resourceUri': uris.toPublic(flat) }),
    ...(nested === undefined || !isJsonObject(ui)
      ? {}
      : { ui: { ...ui, resourceUri: uris.toPublic(nested) } }),
  };
}

/** A content block, or a list of them, with public URIs; the same value where nothing changed. */
export function publicContent(content: JsonValue, uris: Uris): JsonValue {
  if (isList(content)) return changedList(content, (block) => publicBlock(block, uris));
  return publicBlock(content, uris);
}

/** Prompt messages with public URIs in their content. */
export function publicMessages(messages: JsonValue, uris: Uris): JsonValue {
  if (!isList(messages)) return messages;
  return changedList(messages, (message) => {
    if (!isJsonObject(message) || message.content === undefined) return message;
    const content = publicContent(message.content, uris);
    return content === message.content ? message : { ...message, content };
  });
}

/** The `contents` of a read with public URIs. */
export function publicContents(contents: JsonValue, uris: Uris): JsonValue {
  return isList(contents) ? changedList(contents, (item) => withPublicUri(item, uris)) : contents;
}

function publicBlock(block: JsonValue, uris: Uris): JsonValue {
  if (!isJsonObject(block)) return block;
  if (block.type === 'resource_link') return withPublicUri(block, uris);
  if (block.type !== 'resource' || block.resource === undefined) return block;
  const resource = withPublicUri(block.resource, uris);
  return resource === block.resource ? block : { ...block, resource };
}

function withPublicUri(value: JsonValue, uris: Uris): JsonValue {
  if (!isJsonObject(value) || typeof value.uri !== 'string') return value;
  const uri = uris.toPublic(value.uri);
  return uri === value.uri ? value : { ...value, uri };
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function changedList(
  list: readonly JsonValue[],
  change: (item: JsonValue) => JsonValue,
): readonly JsonValue[] {
  const changed = list.map(change);
  return changed.some((item, index) => item !== list[index]) ? changed : list;
}
