import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { askGateway, controlPath } from '../control-client.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { objectsAt } from '../integrity-source.ts';
import { requireConfig } from '../require-config.ts';
import { visibleText } from '../visible-text.ts';

/** How the gateway of this machine is. Exit codes: 0 ready, 1 it runs and is not, 3 none runs. */
export async function status(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const { config } = await requireConfig(invocation, false);
  const answer = await askGateway(controlPath(config.stateDir), 'GET', '/status');
  if (!isJsonObject(answer)) {
    throw new UserError(`no gateway runs on ${config.stateDir}`, {
      exitCode: exitCodes.unreachable,
      next: 'start it: cortex serve',
    });
  }
  const isWritable = isJsonObject(answer.audit) && answer.audit.writable === true;
  const isFine = answer.ready === true && isWritable;
  if (output.isJson) {
    output.document(answer);
    return isFine ? exitCodes.done : exitCodes.no;
  }
  const integrity = isJsonObject(answer.integrity) ? (stringAt(answer.integrity, 'state') ?? '-') : '-';
  output.table({
    rows: [
      [
        'gateway',
        `${answer.ready === true ? 'ready' : 'stopping'}, version ${stringAt(answer, 'version')}, pid ${Number(answer.pid)}`,
      ],
      ['audit', isWritable ? 'written' : output.paint('red', 'cannot be written')],
      ['integrity', integrity],
      ...objectsAt(answer, 'backends').map(backendRow),
    ],
  });
  return isFine ? exitCodes.done : exitCodes.no;
}

function backendRow(backend: JsonObject): readonly string[] {
  const error = stringAt(backend, 'lastError');
  const state = stringAt(backend, 'status') ?? '-';
  return [
    visibleText(stringAt(backend, 'id') ?? '-'),
    error === undefined ? state : `${state}: ${visibleText(error)}`,
  ];
}
