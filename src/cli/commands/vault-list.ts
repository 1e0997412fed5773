import { printable } from '#config/issue.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count } from '../output.ts';
import { askVault, userOf } from '../vault-source.ts';

/** Shows grants without their secrets. */
export async function vaultList(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const answer = await askVault(invocation, 'list', userOf(invocation));
  if (output.isJson) {
    output.document(answer);
    return exitCodes.done;
  }
  const users = objectsAt(answer, 'users');
  const rows = users.flatMap((user) => objectsAt(user, 'grants').map((grant) => rowOf(user, grant)));
  if (rows.length > 0) {
    const head = ['USER', 'ISSUER', 'SERVER', 'ACCOUNT', 'SINCE', 'LAST USED', 'STATE', 'SCOPES'];
    output.table({ head, rows });
  }
  output.note(`${count(rows.length, 'grant')} of ${count(users.length, 'user')}`);
  return exitCodes.done;
}

function rowOf(user: JsonObject, grant: JsonObject): readonly string[] {
  const text = (from: JsonObject, key: string) => printable(stringAt(from, key) ?? '-');
  const scopes = Array.isArray(grant.scopes) ? grant.scopes.map(String).join(' ') : '';
  return [
    text(user, 'subject'),
    text(user, 'issuer'),
    text(grant, 'server'),
    text(grant, 'account'),
    text(grant, 'linkedAt').slice(0, 10),
    text(grant, 'lastUsedAt').slice(0, 16).replace('T', ' '),
    grant.isDead === true ? 'link again' : 'linked',
    printable(scopes === '' ? '-' : scopes),
  ];
}

function objectsAt(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
