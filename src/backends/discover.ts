import { createHash } from 'node:crypto';
import { parsePrompts } from '#contract/parse-prompts.ts';
import { parseResources, parseResourceTemplates } from '#contract/parse-resources.ts';
import { parseTools } from '#contract/parse-tools.ts';
import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import { ok, type Result } from '#kernel/result.ts';
import type { BackendFailure, Discovery } from './backend.ts';
import { createListMethod, type GoodList, type ListMethod } from './list-method.ts';
import type { SignedLists } from './signed-list.ts';
import type { TechnicalRequest } from './technical-request.ts';

export type Discover = (
  etag: string | undefined,
  signal: AbortSignal,
) => Promise<Result<Discovery, BackendFailure>>;

interface Settled<T> {
  readonly definitions: readonly T[];
  readonly problems: readonly string[];
  readonly digest: string;
}

/**
 * Asks the four list methods at once. Without `list_tools` there is no catalog; another list that fails keeps its last good
 * answer for a grace period and is reported, so that a flap makes nothing vanish. The `etag` is a digest of all four
 * answers: a backend without `ETag` is recognised as unchanged, too.
 */
export function createDiscover(
  request: TechnicalRequest,
  clock: Clock,
  maxDefinitions: number,
  signed: SignedLists | undefined,
): Discover {
  const now = (): number => clock.now();
  const tools = createListMethod(request, {
    method: 'list_tools',
    isOptional: false,
    parse: (answer) => parseTools(answer, maxDefinitions),
    now,
    signed,
  });
  const prompts = createListMethod(request, {
    method: 'list_prompts',
    isOptional: true,
    parse: (answer) => parsePrompts(answer, maxDefinitions),
    now,
    signed,
  });
  const resources = createListMethod(request, {
    method: 'list_resources',
    isOptional: true,
    parse: (answer) => parseResources(answer, maxDefinitions),
    now,
    signed,
  });
  const templates = createListMethod(request, {
    method: 'list_resource_templates',
    isOptional: true,
    parse: (answer) => parseResourceTemplates(answer, maxDefinitions),
    now,
    signed,
  });
  let lastEtag: string | undefined;

  async function pollOptional<T>(
    list: ListMethod<T>,
    isConditional: boolean,
    signal: AbortSignal,
  ): Promise<Settled<T>> {
    const answer = await list.poll(isConditional, signal);
    if (answer.ok) return answer.value;
    const { reason, message } = answer.error;
    const kept = fresh(list.last(), now());
    const consequence = kept === undefined ? 'nothing is shown' : 'the last good answer is kept';
    return {
      definitions: kept?.definitions ?? [],
      problems: [
        ...(kept?.problems ?? []),
        `${list.method} (${reason}): ${message} Until it works, ${consequence}.`,
      ],
      digest: `${kept?.digest ?? ''} ${reason}`,
    };
  }

  return async (etag, signal) => {
    const isConditional = etag !== undefined && etag === lastEtag;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const others = Promise.all([
      pollOptional(prompts, isConditional, either),
      pollOptional(resources, isConditional, either),
      pollOptional(templates, isConditional, either),
    ]);
    const listed = await tools.poll(isConditional, signal);
    if (!listed.ok) {
      stop.abort();
      await others;
      return listed;
    }
    const [promptList, resourceList, templateList] = await others;
    const lists = [listed.value, promptList, resourceList, templateList];
    const digest = createHash('sha256');
    for (const list of lists) digest.update(`${list.digest}\n`);
    const current = digest.digest('base64url');
    lastEtag = current;
    if (current === etag) return ok({ kind: 'unchanged' });
    return ok({
      kind: 'catalog',
      catalog: {
        tools: listed.value.definitions,
        prompts: promptList.definitions,
        resources: resourceList.definitions,
        resourceTemplates: templateList.definitions,
      },
      etag: current,
      problems: lists.flatMap((list) => list.problems),
    });
  };
}

function fresh<T>(list: GoodList<T> | undefined, now: number): GoodList<T> | undefined {
  return list !== undefined && now - list.at <= limits.staleGraceMs ? list : undefined;
}
