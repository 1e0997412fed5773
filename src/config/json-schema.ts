import type { JsonObject } from '#kernel/json.ts';
import type { AnyOption } from './option.ts';
import { allOptions } from './options.ts';
import { type Shape, shapeOf } from './shape.ts';

/** The JSON Schema (2020-12) of `cortex.yaml`, for editors. */
export function configJsonSchema(): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Cortex Gateway configuration',
    ...schemaOf(shapeOf(allOptions)),
  };
}

function schemaOf(shape: Shape): JsonObject {
  if (shape.option !== undefined) return leafSchema(shape.option);
  const inner = shape.any === undefined ? undefined : schemaOf(shape.any);
  if (shape.isList) return { type: 'array', items: inner };
  const properties = Object.fromEntries([...shape.children].map(([name, child]) => [name, schemaOf(child)]));
  const requiredKeys = [...shape.children].filter(([, child]) => isRequired(child)).map(([name]) => name);
  return {
    type: ['object', 'null'],
    ...(shape.children.size > 0 && { properties }),
    additionalProperties: inner ?? false,
    ...(requiredKeys.length > 0 && { required: requiredKeys }),
  };
}

/** A setting without which its surroundings make no sense, or what holds one. */
function isRequired(shape: Shape): boolean {
  if (shape.option !== undefined) return shape.option.isRequired;
  return [...shape.children.values()].some(isRequired);
}

function leafSchema(option: AnyOption): JsonObject {
  const shown = option.fallback === undefined ? undefined : option.kind.show(option.fallback);
  return {
    ...option.kind.schema,
    description: option.description,
    ...(shown !== undefined && { default: shown }),
  };
}
