import { isJsonObject, isStringArray, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { fieldPrints, type ItemKind, itemKinds } from './definition-fields.ts';

const MAX_RECORDED_NAME = 128;

/** Which definition is meant; `name` is the backend's own, or the URI. */
export interface ItemId {
  readonly backend: string;
  readonly kind: ItemKind;
  readonly name: string;
}

/** One accepted definition of an item. */
export interface Pin extends ItemId {
  readonly print: string;
  /** What was needed for it; undefined where the operator's configuration says that. */
  readonly scopes: readonly string[] | undefined;
  /** Its line in the baseline, without a line end. */
  readonly line: string;
}

/** What is remembered of an accepted definition: the text of each field, or its fingerprint alone. */
export type PinContent =
  | { readonly kind: 'fields'; readonly fields: JsonObject }
  | { readonly kind: 'prints'; readonly prints: JsonObject };

/** Where an item's pins stand: kinds and backend ids hold no space. */
export function itemKey({ backend, kind, name }: ItemId): string {
  return `${backend} ${kind} ${name}`;
}

/** The same for a record of the audit, in which `kind` is the record's own. */
export function recordOf({ backend, kind, name }: ItemId): {
  readonly backend: string;
  readonly what: ItemKind;
  readonly name: string;
} {
  return { backend, what: kind, name: name.slice(0, MAX_RECORDED_NAME) };
}

/**
 * A pin of these fields. Without `keepsText` only fingerprints are remembered: what a server lists to one person may
 * say something about that person.
 */
export function createPin(
  { backend, kind, name }: ItemId,
  print: string,
  fields: JsonObject,
  keepsText: boolean,
): Pin {
  const content = keepsText ? { fields } : { prints: fieldPrints(fields) };
  const line = JSON.stringify({ backend, kind, name, print, ...content });
  return { backend, kind, name, print, scopes: scopesIn(content.fields), line };
}

/** Reads a line of the baseline; undefined: it is none. */
export function readPin(line: string): Pin | undefined {
  const read = readLine(line);
  if (read === undefined) return undefined;
  const { backend, kind, name, print, content } = read;
  return {
    backend,
    kind,
    name,
    print,
    scopes: content.kind === 'fields' ? scopesIn(content.fields) : undefined,
    line,
  };
}

export function contentOf(pin: Pin): PinContent {
  return readLine(pin.line)?.content ?? { kind: 'prints', prints: {} };
}

function readLine(
  line: string,
): (ItemId & { readonly print: string; readonly content: PinContent }) | undefined {
  const parsed = parseJson(line);
  const entry = parsed.ok ? parsed.value : undefined;
  if (!isJsonObject(entry)) return undefined;
  const { fields, prints } = entry;
  const kind = itemKinds.find((one) => one === entry.kind);
  const [backend, name, print] = ['backend', 'name', 'print'].map((key) => stringAt(entry, key));
  if (kind === undefined || backend === undefined || name === undefined || print === undefined)
    return undefined;
  if (isJsonObject(fields)) return { backend, kind, name, print, content: { kind: 'fields', fields } };
  if (isJsonObject(prints)) return { backend, kind, name, print, content: { kind: 'prints', prints } };
  return undefined;
}

function scopesIn(fields: JsonObject | undefined): readonly string[] | undefined {
  const scopes = fields?.scope;
  return isStringArray(scopes) ? scopes : undefined;
}
