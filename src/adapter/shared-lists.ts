import type { BackendFailure, Discovery } from '#backends/backend.ts';
import type { BackendCatalog, ToolDefinition } from '#contract/types.ts';
import { ok, type Result } from '#kernel/result.ts';
import type { FetchedLists } from './fetch-lists.ts';
import type { Split } from './shareable.ts';

export interface SharedListsDeps {
  /** Asks the server as nobody, or as the operator's catalog account. Undefined: there is none, and lists come from users. */
  readonly ask:
    | ((
        before: FetchedLists | undefined,
        signal: AbortSignal,
      ) => Promise<Result<{ readonly lists: FetchedLists; readonly split: Split }, BackendFailure>>)
    | undefined;
  readonly onChange: () => void;
}

/** The lists of a server that are the same for everyone. */
export interface SharedLists {
  discover(etag: string | undefined, signal: AbortSignal): Promise<Result<Discovery, BackendFailure>>;
  /** A user's own lists hold some that the server marks as everyone's. */
  learn(split: Split): void;
  tool(name: string): ToolDefinition | undefined;
}

const nothing: BackendCatalog = { tools: [], prompts: [], resources: [], resourceTemplates: [] };

export function createSharedLists({ ask, onChange }: SharedListsDeps): SharedLists {
  let lists: FetchedLists | undefined;
  let known: Split | undefined;
  /** Lists come from users, as long as nobody has linked the account that they would be read with. */
  let isLearning = ask === undefined;

  function answer(etag: string | undefined): Discovery {
    // Before anybody linked nothing was learned: what is remembered from before the start stays.
    if (known === undefined) {
      return etag === undefined
        ? { kind: 'catalog', catalog: nothing, etag: undefined, problems: [] }
        : { kind: 'unchanged' };
    }
    const { shared: catalog, sharedDigest, problems } = known;
    if (sharedDigest === etag) return { kind: 'unchanged' };
    return { kind: 'catalog', catalog, etag: sharedDigest, problems };
  }

  return {
    async discover(etag, signal) {
      if (ask === undefined) return ok(answer(etag));
      const fetched = await ask(lists, signal);
      isLearning = !fetched.ok && fetched.error.reason === 'link_required';
      if (isLearning) return ok(answer(etag));
      if (!fetched.ok) return fetched;
      lists = fetched.value.lists;
      known = fetched.value.split;
      return ok(answer(etag));
    },
    learn(split) {
      if (!isLearning) return;
      const before = known;
      known = split;
      if (before === undefined ? isEmpty(split.shared) : before.sharedDigest === split.sharedDigest) return;
      onChange();
    },
    tool: (name) => known?.shared.tools.find((tool) => tool.name === name),
  };
}

function isEmpty({ tools, prompts, resources, resourceTemplates }: BackendCatalog): boolean {
  return tools.length + prompts.length + resources.length + resourceTemplates.length === 0;
}
