import { isJsonObject, isStringArray, type JsonObject } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { notificationText, type RpcId, resultText } from '#wire/json-rpc.ts';
import { metaKeys } from '#wire/protocol.ts';
import { type ChangeKind, changeKinds } from './change-kinds.ts';
import type { Choice } from './choice.ts';
import type { EdgeDeps } from './deps.ts';
import { createEventStream } from './event-stream.ts';
import { createFollowing } from './following.ts';
import type { Pulse } from './pulse.ts';
import { isReadable } from './readable.ts';
import type { Refusal } from './refusal.ts';
import type { PushStream } from './streams.ts';

const flagOf: Readonly<Record<ChangeKind, string>> = {
  tools: 'toolsListChanged',
  prompts: 'promptsListChanged',
  resources: 'resourcesListChanged',
};

export interface ListenRequest {
  readonly id: RpcId;
  readonly params: JsonObject;
  readonly principal: Principal;
  readonly choice: Choice;
}

/** What of the filter is honoured: the lists asked for, and the URIs that the caller may read. */
function honoured(
  deps: EdgeDeps,
  request: ListenRequest,
  maxUris: number,
): Result<{ readonly kinds: ReadonlySet<ChangeKind>; readonly uris: ReadonlySet<string> }, Refusal> {
  const filter = request.params.notifications ?? {};
  if (!isJsonObject(filter))
    return err({ reason: 'params_invalid', detail: 'notifications must be an object' });
  const asked = filter.resourceSubscriptions ?? [];
  if (!isStringArray(asked)) {
    return err({ reason: 'params_invalid', detail: 'resourceSubscriptions must be a list of URIs' });
  }
  const kinds = new Set(changeKinds.filter((kind) => filter[flagOf[kind]] === true));
  const snapshot = deps.snapshot();
  const readable = asked
    .slice(0, maxUris)
    .filter((uri) => isReadable(deps, snapshot, request.principal, uri));
  return ok({ kinds, uris: new Set(readable) });
}

/** subscriptions/listen (R23): acknowledged first with what is honoured, the id on everything, a result at our own end. */
export function openListen(
  deps: EdgeDeps,
  request: ListenRequest,
  wiring: {
    readonly pulse: Pulse;
    readonly quietMs: number;
    readonly maxUris: number;
    /** The members of an empty complete result, era envelope included. */
    readonly envelope: (meta: JsonObject) => string;
  },
): Result<Response, Refusal> {
  const filter = honoured(deps, request, wiring.maxUris);
  if (!filter.ok) return filter;
  const { kinds, uris } = filter.value;
  const meta = { [metaKeys.subscriptionId]: request.id };

  const following = createFollowing(deps, request.principal);
  const forget = () => {
    following.stop();
    deps.streams.delete(stream);
  };
  const events = createEventStream(wiring.pulse, wiring.quietMs, forget);
  const stream: PushStream = {
    principal: request.principal,
    choice: request.choice,
    sessionId: undefined,
    wantsList: (kind) => kinds.has(kind),
    wantsResource: (uri, snapshot) => uris.has(uri) && isReadable(deps, snapshot, request.principal, uri),
    notify(method, params) {
      events.send(notificationText(method, { ...params, _meta: meta }));
    },
    refollow: () => following.follow(uris),
    end() {
      forget();
      events.send(resultText(request.id, wiring.envelope(meta)));
      events.close();
    },
  };
  if (!deps.streams.add(stream)) {
    events.close();
    return err({ reason: 'stream_limit' });
  }
  following.follow(uris);
  const flags = Object.fromEntries([...kinds].map((kind) => [flagOf[kind], true]));
  const notifications = uris.size === 0 ? flags : { ...flags, resourceSubscriptions: [...uris] };
  stream.notify('notifications/subscriptions/acknowledged', { notifications });
  return ok(events.response);
}
