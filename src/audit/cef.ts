import { type JsonValue, stringAt } from '#kernel/json.ts';
import type { AuditRecord } from './line.ts';
import { severityOf } from './severity.ts';

/** Severity of CEF, 0 to 10, by ours. */
const severities = { informational: 1, low: 3, medium: 5, high: 8 } as const;
const shown = new Set(['v', 'kind', 'chain', 'seq', 'time', 'prev', 'sig', 'key']);

/**
 * A record in ArcSight's Common Event Format, version 0. Whatever a client chose stays inside its own value: `\` and `|` are
 * escaped in the head, `\`, `=` and line ends in the extension, and no other control character gets through.
 */
export function cefLine(record: AuditRecord, version: string): string {
  const { kind, fields } = record;
  const act = stringAt(fields, 'method') ?? stringAt(fields, 'action');
  const name = [kind, act, stringAt(fields, 'tool')].filter((word) => word !== undefined).join(' ');
  const head = [
    'CEF:0',
    'Cortex',
    'Cortex Gateway',
    headText(version),
    headText(act === undefined ? kind : `${kind}:${act}`),
    headText(name),
    severities[severityOf(record)],
  ].join('|');
  return `${head}|${extensionOf(record, act)}`;
}

function extensionOf({ kind, chain, seq, time, fields }: AuditRecord, act: string | undefined): string {
  const isCall = kind === 'call';
  const values: readonly (readonly [string, JsonValue | undefined])[] = [
    ['rt', Date.parse(time)],
    ['deviceExternalId', chain],
    ['externalId', `${chain}:${seq}`],
    ['cat', kind],
    ['act', act],
    ['outcome', fields.outcome],
    ['reason', isCall ? fields.code : fields.reason],
    ['suid', fields.user],
    ['sourceServiceName', fields.client],
    ['requestClientApplication', fields.agent],
    ['destinationServiceName', fields.backend ?? fields.server],
    ['in', fields.request_bytes],
    ['out', fields.response_bytes],
    ...labelled('cs1', 'tool', fields.tool),
    ...labelled('cs2', 'identityMode', fields.mode),
    ...labelled('cs3', 'scopes', fields.scopes),
    ...labelled('cs4', 'plan', fields.plan),
    ...labelled('cs5', 'parameters', fields.params),
    ...labelled('cs6', 'trace', fields.trace),
    ...labelled('cn1', 'listBytes', fields.list_bytes),
    ...labelled('cfp1', 'milliseconds', fields.ms),
    ['suser', fields.actor],
    ['msg', isCall ? undefined : restOf(fields)],
  ];
  return values
    .flatMap(([key, value]) =>
      value === undefined || value === null ? [] : [`${key}=${extensionText(value)}`],
    )
    .join(' ');
}

function labelled(key: string, label: string, value: JsonValue | undefined) {
  if (value === undefined) return [];
  return [
    [`${key}Label`, label],
    [key, value],
  ] as const;
}

/** What an act is about, in words of its own. */
function restOf(fields: AuditRecord['fields']): string {
  const rest = Object.entries(fields).filter(([key]) => !shown.has(key));
  return JSON.stringify(Object.fromEntries(rest));
}

function headText(text: string): string {
  return cleaned(text.replaceAll(/[\r\n]+/g, ' ')).replaceAll(/[\\|]/g, '\\$&');
}

function extensionText(value: JsonValue): string {
  const text =
    typeof value === 'string' ? value : Array.isArray(value) ? value.join(' ') : JSON.stringify(value);
  return cleaned(text).replaceAll(/[\\=]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

/** Without control characters (line ends aside), other line ends, and marks that turn the direction of text. */
function cleaned(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/(?![\r\n])[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '?');
}
