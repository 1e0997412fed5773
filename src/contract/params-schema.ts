import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

const types: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);

/**
 * The JSON Schema of the `params` shorthand: a name to `string`, `number` or `boolean`, `[]` after it for a list of them,
 * `?` at the end for optional. The error names the parameter.
 */
export function paramsSchema(params: unknown): Result<JsonObject, string> {
  if (!isJsonObject(params)) return err('params is not an object');
  const properties: [string, JsonObject][] = [];
  const required: string[] = [];
  for (const [name, shorthand] of Object.entries(params)) {
    const parsed = typeof shorthand === 'string' ? /^([a-z]+)(\[\])?(\?)?$/.exec(shorthand.trim()) : null;
    const type = parsed?.[1];
    if (parsed === null || type === undefined || !types.has(type)) {
      return err(
        `params.${JSON.stringify(name).slice(0, 80)} is none of string, number, boolean, with [] or ?`,
      );
    }
    properties.push([name, parsed[2] === undefined ? { type } : { type: 'array', items: { type } }]);
    if (parsed[3] === undefined) required.push(name);
  }
  // fromEntries, because an assignment to a parameter called `__proto__` would vanish.
  const schema = { type: 'object', properties: Object.fromEntries(properties) };
  return ok(required.length === 0 ? schema : { ...schema, required });
}
