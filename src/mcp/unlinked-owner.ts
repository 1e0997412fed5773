import { uriScheme } from '#catalog/uri-scheme.ts';
import type { BackendId } from '#kernel/ids.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import type { PersonalPart } from './personal-part.ts';
import type { PersonalServer } from './personal-servers.ts';

/**
 * The server that an unknown name or URI can only belong to, where the caller has not linked an account yet and may:
 * the very call that is refused now may go through afterwards. Clients keep lists of before.
 */
export function unlinkedOwner(
  { unlinked }: PersonalPart,
  { scopes }: Principal,
  asked: { readonly name: string } | { readonly uri: string },
): BackendId | undefined {
  const isOwn = ({ backend, rules }: PersonalServer): boolean =>
    'name' in asked
      ? rules.prefix !== '' && asked.name.startsWith(`${rules.prefix}_`)
      : rules.sharesSchemes && carriesId(asked.uri, backend.id);
  return unlinked.find((server) => holdsAll(scopes, server.linkScopes ?? []) && isOwn(server))?.backend.id;
}

function carriesId(uri: string, id: BackendId): boolean {
  const scheme = uriScheme(uri);
  if (scheme === undefined) return false;
  const rest = uri.slice(scheme.length + 1);
  return rest.startsWith(`//${id}/`) || rest.startsWith(`${id}/`);
}
