import type { ToolDefinition } from '#contract/types.ts';
import type { JsonObject, JsonValue } from '#kernel/json.ts';
import { canonicalText } from './canonical-text.ts';

export type ItemKind = 'tool' | 'prompt' | 'resource' | 'template';
export const itemKinds: readonly ItemKind[] = ['tool', 'prompt', 'resource', 'template'];

/** What tools, prompts, resources and templates have in common, and what tools alone have. */
export type Definition = Pick<ToolDefinition, 'scopes' | 'wire'> &
  Partial<Pick<ToolDefinition, 'version' | 'deprecated'>>;

/** Fields that are no members of the object which goes to clients. */
const ownFields: ReadonlySet<string> = new Set(['scope', 'version', 'deprecated']);

/**
 * Everything about a definition that counts, field by field: all that goes to clients, unknown members included, with
 * scope, version and deprecation. `countsScopes` is false where the scopes are the operator's own word.
 */
export function definitionFields(definition: Definition, countsScopes: boolean): JsonObject {
  const { wire, scopes, version, deprecated } = definition;
  const fields: (readonly [string, JsonValue])[] = [];
  for (const [member, value] of Object.entries(wire)) {
    if (value === undefined) continue;
    // Neither a member called `scope` nor one called `wire.scope` may hide behind another.
    const isTaken = ownFields.has(member) || member.startsWith('wire.');
    fields.push([isTaken ? `wire.${member}` : member, value]);
  }
  if (countsScopes) fields.push(['scope', [...scopes].sort()]);
  if (version !== undefined) fields.push(['version', version]);
  if (deprecated !== undefined) fields.push(['deprecated', deprecated]);
  return Object.fromEntries(fields);
}

/** The fingerprint of a whole definition: SHA-256 over its fields in canonical order, as base64url. */
export function printOf(kind: ItemKind, fields: JsonObject): string {
  return hash(`${kind}\n${canonicalText(fields)}`);
}

/** The fingerprint of each field. */
export function fieldPrints(fields: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [
      field,
      hash(`${field}\n${canonicalText(value ?? null)}`),
    ]),
  );
}

function hash(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('base64url');
}
