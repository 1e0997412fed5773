import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { parseScopes } from './scope.ts';

export interface ErrorBody {
  /** The application's own words; undefined where `error` is missing or empty. */
  readonly message: string | undefined;
  /** Of a 403: the scopes that are missing; undefined where it names none. */
  readonly requiredScopes: readonly string[] | undefined;
  readonly body: JsonObject;
}

const maxMessageLength = 4_000;

/** The contract's `{error, required?}`; also `{error: {message}}`. Undefined: not a JSON object. */
export function parseErrorBody(text: string): ErrorBody | undefined {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return undefined;
  const body = parsed.value;
  const message = isJsonObject(body.error) ? stringAt(body.error, 'message') : stringAt(body, 'error');
  const scopes = parseScopes(body.required);
  return {
    message: message === undefined || message === '' ? undefined : message.slice(0, maxMessageLength),
    requiredScopes: scopes.ok && scopes.value.length > 0 ? scopes.value : undefined,
    body,
  };
}
