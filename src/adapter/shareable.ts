import { createHash } from 'node:crypto';
import type { BackendCatalog } from '#contract/types.ts';
import type { FetchedList, FetchedLists } from './fetch-lists.ts';

/** What of a server's lists goes to whom (R44). */
export interface Split {
  /** For everyone: what the server marks public, or the operator says is one list for all. */
  readonly shared: BackendCatalog;
  readonly sharedDigest: string;
  /** For the one who asked, and nobody else. */
  readonly personal: BackendCatalog;
  readonly personalDigest: string;
  /** Nothing is personal about these lists. */
  readonly isAllShared: boolean;
  readonly problems: readonly string[];
  readonly bytes: number;
}

/** `everyone`: no account is involved, so there is but one list. `shared`: the operator's word, for legacy servers alone. */
export type SharingRule = 'everyone' | 'shared' | 'private';

export function splitLists(lists: FetchedLists, rule: SharingRule): Split {
  const mayShare = ({ isPublic }: { readonly isPublic: boolean }): boolean => {
    if (rule === 'everyone') return true;
    return lists.era === 'modern' ? isPublic : rule === 'shared';
  };
  const pick = (isShared: boolean): { catalog: BackendCatalog; digest: string } => {
    const take = <T>(list: FetchedList<T>): readonly T[] =>
      mayShare(list) === isShared ? list.definitions : [];
    const digest = createHash('sha256');
    for (const list of all(lists)) digest.update(mayShare(list) === isShared ? `${list.digest}\n` : '\n');
    return {
      digest: digest.digest('base64url'),
      catalog: {
        tools: take(lists.tools),
        prompts: take(lists.prompts),
        resources: take(lists.resources),
        resourceTemplates: take(lists.resourceTemplates),
      },
    };
  };
  const shared = pick(true);
  const personal = pick(false);
  return {
    shared: shared.catalog,
    sharedDigest: shared.digest,
    personal: personal.catalog,
    personalDigest: personal.digest,
    isAllShared: all(lists).every(mayShare),
    problems: all(lists).flatMap(({ problems }) => problems),
    bytes: all(lists).reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function all({
  tools,
  prompts,
  resources,
  resourceTemplates,
}: FetchedLists): readonly FetchedList<unknown>[] {
  return [tools, prompts, resources, resourceTemplates];
}
