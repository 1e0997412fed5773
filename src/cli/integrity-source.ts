import type { IntegrityAction } from '#integrity/integrity-desk.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from './command.ts';
import { controlPath, postToGateway } from './control-client.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { requireConfig } from './require-config.ts';

const timeoutMs = 60_000;

const nextSteps: Readonly<Record<string, string>> = {
  operator_signed: 'write the file to sign: cortex integrity approve --all --draft baseline.draft',
  degraded: 'find out who wrote it; then begin anew: cortex integrity approve --all',
  unknown_item: 'see what waits: cortex integrity list',
  ambiguous: 'say which: --backend <id>, --kind <kind> or --print <fingerprint>',
  changed_again: 'look at it again: cortex integrity diff',
  changed_underneath: 'try again',
  unwritable: 'make room or give the gateway the right to write there',
  off: 'set integrity.mode to warn or block',
  incomplete: 'name one, or --all',
};

/** Asks the running gateway, else works on its files. A refusal is a {@link UserError}. */
export async function askIntegrity(
  invocation: Invocation,
  action: IntegrityAction,
  input: JsonObject,
): Promise<JsonObject> {
  const { config } = await requireConfig(invocation, false);
  const answer = await invocation.output.during('asking the gateway', () =>
    postToGateway(controlPath(config.stateDir), `/integrity/${action}`, input, timeoutMs),
  );
  if (answer === undefined) {
    const { withLocalIntegrity } = await import('./local-integrity.ts');
    const outcome = await withLocalIntegrity(config, (desk) => desk.handle(action, input, 'local'));
    if (outcome.ok) return outcome.value;
    throw refused(outcome.error.reason, outcome.error.message);
  }
  if (isJsonObject(answer.body)) {
    if (answer.status === 200) return answer.body;
    const reason = stringAt(answer.body, 'reason');
    if (reason !== undefined) throw refused(reason, stringAt(answer.body, 'message') ?? reason);
  }
  throw new UserError('the running gateway is of another version than this command', {
    exitCode: exitCodes.no,
    next: 'restart the gateway, then try again',
  });
}

/** What an answer lists at a key. */
export function objectsAt(answer: JsonObject, key: string): readonly JsonObject[] {
  const items = answer[key];
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}

function refused(reason: string, message: string): UserError {
  const next = nextSteps[reason];
  return new UserError(message, { exitCode: exitCodes.no, ...(next === undefined ? {} : { next }) });
}
