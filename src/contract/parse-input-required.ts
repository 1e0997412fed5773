import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';

export interface InputRequired {
  readonly inputRequests: JsonObject | undefined;
  readonly requestState: string | undefined;
}

/** The contract's `{resultType: "input_required", inputRequests?, requestState?}`; undefined for any other answer. */
export function parseInputRequired(value: unknown): InputRequired | undefined {
  if (!isJsonObject(value) || value.resultType !== 'input_required') return undefined;
  return {
    inputRequests: isJsonObject(value.inputRequests) ? value.inputRequests : undefined,
    requestState: stringAt(value, 'requestState'),
  };
}
