import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { OperationRefusal } from '#server/operation.ts';
import { postToGateway } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** Asks an operation of the gateway behind a control socket; undefined where none runs. */
export async function askOperation(
  path: string,
  pathname: string,
  input: JsonObject,
  withinMs: number,
): Promise<Result<JsonObject, OperationRefusal> | undefined> {
  const answer = await postToGateway(path, pathname, input, withinMs);
  if (answer === undefined) return undefined;
  if (isJsonObject(answer.body)) {
    if (answer.status === 200) return ok(answer.body);
    const reason = stringAt(answer.body, 'reason');
    if (reason !== undefined) return err({ reason, message: stringAt(answer.body, 'message') ?? reason });
  }
  throw new UserError('the running gateway is of another version than this command', {
    exitCode: exitCodes.no,
    next: 'restart the gateway, then try again',
  });
}
