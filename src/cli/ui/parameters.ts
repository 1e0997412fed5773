import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json.ts';
import { flatText } from './outside-text.ts';

/** One parameter of a tool or prompt, for a person. */
export interface Parameter {
  /** Of a nested one: `filter.since`. */
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly description: string;
}

const maxDepth = 3;
const maxParameters = 200;

/** The properties of an input schema, nested ones below their owner. */
export function schemaParameters(schema: JsonValue | undefined): readonly Parameter[] {
  return isJsonObject(schema) ? properties(schema, '', 1).slice(0, maxParameters) : [];
}

/** The arguments of a prompt. */
export function promptParameters(wire: JsonObject): readonly Parameter[] {
  const given = Array.isArray(wire.arguments) ? wire.arguments : [];
  return given.filter(isJsonObject).map((one) => ({
    name: textOf(one.name),
    type: 'string',
    isRequired: one.required === true,
    description: textOf(one.description),
  }));
}

function properties(schema: JsonObject, above: string, depth: number): readonly Parameter[] {
  if (!isJsonObject(schema.properties) || depth > maxDepth) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).flatMap(([name, value]) => {
    const own: JsonObject = isJsonObject(value) ? value : {};
    const path = `${above}${flatText(name)}`;
    const items = isJsonObject(own.items) ? properties(own.items, `${path}[].`, depth + 1) : [];
    const parameter = {
      name: path,
      type: typeOf(own),
      isRequired: required.includes(name),
      description: describe(own),
    };
    return [parameter, ...properties(own, `${path}.`, depth + 1), ...items];
  });
}

function describe(schema: JsonObject): string {
  const fallback =
    schema.default === undefined ? '' : ` Default: ${flatText(JSON.stringify(schema.default))}.`;
  return `${textOf(schema.description)}${fallback}`.trim();
}

function typeOf(schema: JsonObject): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((one) => flatText(JSON.stringify(one))).join(' | ');
  if (schema.const !== undefined) return flatText(JSON.stringify(schema.const));
  const choices = Array.isArray(schema.anyOf) ? schema.anyOf : schema.oneOf;
  if (Array.isArray(choices)) {
    const types = choices.filter(isJsonObject).map(typeOf);
    return [...new Set(types)].join(' | ');
  }
  const { type } = schema;
  const named = Array.isArray(type) ? type.map(textOf).join(' | ') : textOf(type);
  if (named === 'array' && isJsonObject(schema.items)) return `${typeOf(schema.items)}[]`;
  const format = textOf(schema.format);
  return `${named === '' ? 'any' : named}${format === '' ? '' : ` (${format})`}`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? flatText(value) : '';
}
