import type { RevealRefusal } from '#audit/reveal.ts';
import { printable } from '#config/issue.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { controlPath, postToGateway } from '../control-client.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { requireConfig } from '../require-config.ts';

const timeoutMs = 60_000;
const next: Readonly<Record<RevealRefusal['reason'], string>> = {
  reason_needed: 'cortex audit reveal <pseudonym> --reason "ticket 4711: asked by the person"',
  not_a_pseudonym: 'take it from `user` in a record: cortex audit tail --json',
  unknown_user: 'nothing leads to this person any more',
  not_recorded: 'make room where the audit lies, then ask again',
};

/** Names the person behind a pseudonym. Exit code 1: nobody was named. */
export async function auditReveal(invocation: Invocation): Promise<number> {
  const { args, options, output } = invocation;
  const asked = { user: args[0], reason: options.text('reason') };
  if (asked.reason === undefined || asked.reason.trim() === '') {
    throw new UserError('say why: --reason is recorded with the answer', { next: next.reason_needed });
  }
  const person = await ask(invocation, asked);
  if (output.isJson) output.document(person);
  else output.line(`${asked.user} is ${nameIn(person, 'subject')} of ${nameIn(person, 'issuer')}`);
  output.note('that you asked, and why, stands in the audit');
  return exitCodes.done;
}

async function ask(
  invocation: Invocation,
  asked: { readonly user: string | undefined; readonly reason: string | undefined },
): Promise<JsonObject> {
  const { config } = await requireConfig(invocation, false);
  const answer = await postToGateway(controlPath(config.stateDir), '/audit/reveal', asked, timeoutMs);
  if (answer === undefined) {
    const { withLocalReveal } = await import('../local-audit.ts');
    const person = await withLocalReveal(config, (reveal) => reveal(asked, 'local'));
    if (person.ok) return { user: asked.user, ...person.value };
    throw refused(person.error.message, next[person.error.reason]);
  }
  if (isJsonObject(answer.body)) {
    if (answer.status === 200) return answer.body;
    const reason = stringAt(answer.body, 'reason');
    const known = Object.entries(next).find(([name]) => name === reason);
    if (known !== undefined) throw refused(stringAt(answer.body, 'message') ?? known[0], known[1]);
  }
  throw refused(
    'the running gateway is of another version than this command',
    'restart the gateway, then try again',
  );
}

function refused(message: string, nextStep: string): UserError {
  return new UserError(message, { exitCode: exitCodes.no, next: nextStep });
}

function nameIn(person: JsonObject, key: string): string {
  return printable(stringAt(person, key) ?? '-');
}
