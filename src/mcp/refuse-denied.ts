import type { DenyList } from '#auth/deny-list.ts';
import type { RpcId } from '#wire/json-rpc.ts';
import type { Era } from '#wire/protocol.ts';
import { refuse } from './refuse.ts';
import type { Visit } from './visit.ts';

/**
 * The answer to a request whose token was denied after it had come in: a body may take its time, and lists may have to
 * be asked for. Undefined: it may go on.
 */
export type RefuseDenied = (visit: Visit, id?: RpcId, era?: Era) => Response | undefined;

export function createRefuseDenied(
  denyList: Pick<DenyList, 'denies'>,
  challengeHeader: (visit: Visit) => string | undefined,
): RefuseDenied {
  return (visit, id, era) => {
    if (denyList.denies(visit.principal) === undefined) return undefined;
    const response = refuse({ reason: 'revoked' }, id, era);
    response.headers.set('www-authenticate', challengeHeader(visit) ?? 'Bearer');
    return response;
  };
}
