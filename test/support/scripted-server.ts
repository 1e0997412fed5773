import type {
  Answer,
  Backend,
  BackendFailureReason,
  CallContext,
  Exchange,
  IdentityMode,
  PersonalCatalog,
  PersonalLists,
  ToolCall,
} from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import type { BackendCatalog } from '#contract/types.ts';
import type { JsonObject } from '#kernel/json.ts';
import { principalKey } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { backendId } from '../backends/backend-id.ts';

/** What was asked of a scripted server, and by whom. */
export interface ScriptedCall {
  readonly method: 'tool' | 'read' | 'prompt' | 'complete' | 'whoami';
  /** A name, a URI, or the name in a reference. */
  readonly target: string;
  readonly args: JsonObject;
  readonly context: CallContext;
}
export type Script = (
  call: ScriptedCall,
) => Answer | BackendFailureReason | Promise<Answer | BackendFailureReason>;

/** A native server in this process, with lists for each person: the port as a test wants it. */
export interface ScriptedServer {
  readonly backend: Backend & { readonly personal: PersonalLists };
  readonly calls: readonly ScriptedCall[];
  /** URIs that are followed now, each with the subject that follows it. */
  readonly followed: readonly string[];
  /** How often something began to be followed. */
  readonly follows: number;
  /** How often lists were asked for, by subject. */
  readonly refreshed: readonly string[];
  /** What one person's lists are from now on; undefined: not known, and `refresh` finds out `next`. */
  lists(
    subject: string,
    now: PersonalCatalog | undefined,
    next?: PersonalCatalog | Promise<PersonalCatalog>,
  ): void;
  answer(script: Script): void;
}

export const issuerUrl = 'https://issuer.example';
const unlinked: PersonalCatalog = { kind: 'unlinked' };

export function listed(catalog: Partial<BackendCatalog>, isStale = false): PersonalCatalog {
  const none = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
  return { kind: 'listed', catalog: { ...none, ...catalog }, isStale };
}

/** An MCP result as a server sends it. */
export function said(text: string, more: JsonObject = {}): Answer {
  return { kind: 'mcp', text: JSON.stringify({ content: [{ type: 'text', text }], ...more }) };
}

export function createScriptedServer(
  id: string,
  over: { readonly shared?: BackendCatalog; readonly mode?: IdentityMode } = {},
): ScriptedServer {
  const calls: ScriptedCall[] = [];
  const followed: string[] = [];
  const refreshed: string[] = [];
  let follows = 0;
  const known = new Map<string, PersonalCatalog>();
  const coming = new Map<string, PersonalCatalog | Promise<PersonalCatalog>>();
  let script: Script = ({ target }) => said(target);
  const shared = over.shared ?? { tools: [], prompts: [], resources: [], resourceTemplates: [] };

  const exchange = <T>(outcome: Exchange<T>['outcome']): Exchange<T> => ({
    outcome,
    backend: backendId(id),
    mode: over.mode ?? 'linked',
    answerBytes: 1,
  });
  const isFailure = (made: Answer | BackendFailureReason): made is BackendFailureReason =>
    typeof made === 'string';
  const play = async (call: ScriptedCall): Promise<Exchange<Answer>> => {
    calls.push(call);
    const made = await script(call);
    return exchange<Answer>(isFailure(made) ? err(failure(made)) : ok(made));
  };
  const textOf = (outcome: Exchange<Answer>['outcome']): string =>
    outcome.ok && outcome.value.kind !== 'input_required' ? outcome.value.text : '{}';

  return {
    calls,
    followed,
    refreshed,
    get follows() {
      return follows;
    },
    lists(subject, now, next) {
      const key = principalKey(issuerUrl, subject);
      if (now === undefined) known.delete(key);
      else known.set(key, now);
      if (next !== undefined) coming.set(key, next);
    },
    answer(next) {
      script = next;
    },
    backend: {
      id: backendId(id),
      isNative: true,
      discover: () =>
        Promise.resolve(ok({ kind: 'catalog', catalog: shared, etag: undefined, problems: [] } as const)),
      call: (tool: ToolCall, context) =>
        play({ method: 'tool', target: tool.name, args: tool.arguments, context }),
      read: (uri, context) => play({ method: 'read', target: uri, args: {}, context }),
      prompt: (name, args, context) => play({ method: 'prompt', target: name, args, context }),
      async complete(ref, argument, context) {
        const played = await play({
          method: 'complete',
          target: String(ref.name ?? ref.uri),
          args: argument,
          context,
        });
        const { outcome } = played;
        if (!outcome.ok) return { ...played, outcome };
        return {
          ...played,
          outcome: ok({ values: [textOf(outcome)], total: undefined, hasMore: undefined }),
        };
      },
      help: () => Promise.resolve(exchange<Answer>(err(failure('unsupported')))),
      async whoami(context) {
        const played = await play({ method: 'whoami', target: id, args: {}, context });
        const outcome: Result<string, ReturnType<typeof failure>> = played.outcome.ok
          ? ok(textOf(played.outcome))
          : played.outcome;
        return { ...played, outcome };
      },
      ticket: () => Promise.resolve(exchange(err(failure('unsupported')))),
      personal: {
        current: ({ key }) => known.get(key),
        async refresh({ key, subject }) {
          refreshed.push(subject);
          const found = await (coming.get(key) ?? known.get(key) ?? unlinked);
          known.set(key, found);
          return found;
        },
      },
      follow(uri, { subject }) {
        follows += 1;
        const entry = `${subject} ${uri}`;
        followed.push(entry);
        return () => {
          const at = followed.indexOf(entry);
          if (at >= 0) followed.splice(at, 1);
        };
      },
      health: () => ({ breaker: 'closed', inFlight: 0 }),
      close: () => Promise.resolve(),
    },
  };
}
