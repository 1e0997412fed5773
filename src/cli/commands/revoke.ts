import type { Config } from '#config/config.ts';
import { printable } from '#config/issue.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';
import type { OperationRefusal } from '#server/operation.ts';
import { askOperation } from '../ask-operation.ts';
import type { Invocation } from '../command.ts';
import { controlPath } from '../control-client.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../output.ts';
import { requireConfig } from '../require-config.ts';
import { readSince } from '../revoke-time.ts';

const timeoutMs = 30_000;
const pathname = '/revocations';

/** What each option names, in the words of the operation. */
const kinds = [
  ['user', 'subject'],
  ['session', 'session'],
  ['client', 'client'],
  ['grant', 'grant'],
  ['token-id', 'token'],
] as const;

const callersMistakes = new Set(['incomplete', 'several_issuers', 'unknown_issuer', 'value_refused']);

/** Refuses tokens that are still good, in the running gateway, or from its next start on. */
export async function revoke(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const input = revocationOf(invocation);
  const { config } = await requireConfig(invocation, false);
  const path = controlPath(config.stateDir);
  const running = await output.during('waiting for the replicas', () =>
    askOperation(path, pathname, input, timeoutMs),
  );
  const outcome = running ?? (await keep(config, input));
  if (!outcome.ok) throw refused(outcome.error);
  // A gateway that started meanwhile may have read what is kept before this was written.
  const late = running ?? (await askOperation(path, pathname, input, timeoutMs));
  if (late?.ok === false) throw refused(late.error);
  const answer = late?.value ?? outcome.value;
  if (output.isJson) output.document(answer);
  else output.line(told(answer));
  return exitCodes.done;
}

function revocationOf({ options }: Invocation): JsonObject {
  const issuer = options.text('issuer');
  const given = kinds.filter(([option]) => options.text(option) !== undefined);
  const [first, second] = given;
  if (second !== undefined) {
    throw new UserError('one thing at a time: --user, --session, --client, --grant or --token-id', {
      next: 'run it once for each',
    });
  }
  const before = options.text('before');
  const common = {
    ...(issuer === undefined ? {} : { issuer }),
    ...(before === undefined ? {} : { before: readSince(before) }),
  };
  if (first !== undefined) return { kind: first[1], value: options.text(first[0]) ?? '', ...common };
  if (issuer !== undefined) return { kind: 'issuer', ...common };
  throw new UserError('nothing was named to revoke', {
    next: 'name it: --user, --session, --client, --grant, --token-id, or --issuer alone for every token of an issuer',
  });
}

async function keep(config: Config, input: JsonObject): Promise<Result<JsonObject, OperationRefusal>> {
  const [{ withLocalState }, { revokeAsAsked }] = await Promise.all([
    import('../local-state.ts'),
    import('#wiring/revocation-operations.ts'),
  ]);
  return withLocalState(config, 'store', async (state) => {
    const { denyList } = await state.revocations();
    const issuers = () => config.auth.issuers.map(({ url }) => url);
    return revokeAsAsked({ denyList, issuers }, input, 'local');
  });
}

function refused({ reason, message }: OperationRefusal): UserError {
  const next = reason === 'several_issuers' ? { next: 'name one: --issuer <url>' } : {};
  const exitCode = callersMistakes.has(reason) ? exitCodes.usage : exitCodes.no;
  return new UserError(message, { exitCode, ...next });
}

function told(answer: JsonObject): string {
  const replicas = Number(answer.replicas);
  if (replicas === 0) return 'kept: no gateway runs; it is refused from the next start on';
  const closed = isJsonObject(answer.closed) ? answer.closed : {};
  const ended = `${count(Number(closed.streams), 'stream')} and ${count(Number(closed.calls), 'call')} ended`;
  const where = printable(stringAt(answer, 'issuer') ?? '-');
  const ms = Number(answer.ms).toFixed(1);
  return `revoked at ${where}: ${count(replicas, 'replica')} confirmed in ${ms} ms; ${ended}`;
}
