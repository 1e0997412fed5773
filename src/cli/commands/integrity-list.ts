import { isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { askIntegrity, objectsAt } from '../integrity-source.ts';
import { count } from '../output.ts';
import { visibleText } from '../visible-text.ts';

/** Shows what waits for an operator. Exit code 1: something does, or the baseline cannot be believed. */
export async function integrityList(invocation: Invocation): Promise<number> {
  const { options, output } = invocation;
  const answer = await askIntegrity(invocation, 'list', { backend: options.text('backend') });
  const items = objectsAt(answer, 'items');
  const open = items.filter(({ state }) => state !== 'gone');
  const isFine = open.length === 0 && answer.state !== 'degraded';
  if (output.isJson) {
    output.document(answer);
    return isFine ? exitCodes.done : exitCodes.no;
  }
  if (items.length > 0) {
    output.table({
      head: ['STATE', 'KIND', 'NAME', 'BACKEND', 'SINCE', 'SERVED', 'FIELDS'],
      rows: items.map(rowOf),
    });
  }
  const warnings = objectsAt(answer, 'warnings');
  for (const warning of warnings) {
    const [backend, name, field, reason, shown] = ['backend', 'name', 'field', 'reason', 'shown'].map((key) =>
      visibleText(stringAt(warning, key) ?? '-'),
    );
    output.line(`${output.paint('yellow', 'text')} ${name} of ${backend}, ${field}: ${reason} (${shown})`);
  }
  if (answer.state === 'degraded') {
    output.warn(`degraded: the baseline ${stringAt(answer, 'baseline')} is ${stringAt(answer, 'problem')}`);
  }
  const signer = answer.signedBy === 'operator' ? 'the operator' : 'the gateway';
  output.note(
    `${count(open.length, 'definition')} to look at; ${Number(answer.accepted)} accepted, signed by ${signer}; mode ${stringAt(answer, 'mode')}`,
  );
  return isFine ? exitCodes.done : exitCodes.no;
}

function rowOf(item: JsonObject): readonly string[] {
  const text = (key: string) => visibleText(stringAt(item, key) ?? '-');
  const served = item.state === 'gone' ? '-' : item.isWithheld === true ? 'no' : 'yes';
  const fields = isStringArray(item.fields) ? item.fields.map(visibleText).join(' ') : '-';
  const since = text('since').slice(0, 16).replace('T', ' ');
  const shownAs = item.shownAs === undefined ? text('name') : text('shownAs');
  return [text('state'), text('kind'), shownAs, text('backend'), since, served, fields];
}
