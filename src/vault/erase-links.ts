import { isJsonObject, parseJson } from '#kernel/json.ts';
import type { Sealer } from '#keys/sealer.ts';
import { eraseLinkFlows, listLinkFlows } from '#store/link-flow-rows.ts';
import { eraseLinkTickets, listLinkTickets } from '#store/link-ticket-rows.ts';
import type { Store } from '#store/store.ts';
import type { GrantOwner } from './grant.ts';

/** Deletes the linkings that a user has under way, beyond recovery from the file, and tickets for them. */
export async function eraseLinks(
  { store, sealer }: { readonly store: Store; readonly sealer: Sealer },
  owner: GrantOwner,
): Promise<void> {
  const flows = (await listLinkFlows(store)).filter(({ id, sealed }) => {
    const held = sealer.open('link_flow', [id], sealed);
    return held.ok && ownerOf(held.value).key === owner.key;
  });
  const tickets = (await listLinkTickets(store)).filter(({ hash, sealed }) => {
    const held = sealer.open('link_ticket', [hash], sealed);
    if (!held.ok) return false;
    const { issuer, subject } = ownerOf(held.value);
    return issuer === owner.issuer && subject === owner.subject;
  });
  await eraseLinkFlows(
    store,
    flows.map(({ id }) => id),
  );
  await eraseLinkTickets(
    store,
    tickets.map(({ hash }) => hash),
  );
}

function ownerOf(text: string): {
  readonly key?: unknown;
  readonly issuer?: unknown;
  readonly subject?: unknown;
} {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return {};
  const { owner, issuer, subject } = parsed.value;
  return { key: owner, issuer, subject };
}
