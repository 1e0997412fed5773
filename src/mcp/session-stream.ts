import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { notificationText } from '#wire/json-rpc.ts';
import type { Choice } from './choice.ts';
import type { EdgeDeps } from './deps.ts';
import { createEventStream } from './event-stream.ts';
import { createFollowing } from './following.ts';
import type { Pulse } from './pulse.ts';
import { isReadable } from './readable.ts';
import type { Refusal } from './refusal.ts';
import type { LegacySession } from './session.ts';
import type { PushStream } from './streams.ts';

/** The GET streams of legacy sessions: one a session, a newer one takes the place of the older (R12). */
export interface SessionStreams {
  open(
    deps: EdgeDeps,
    session: LegacySession,
    principal: Principal,
    choice: Choice,
  ): Result<Response, Refusal>;
  end(session: LegacySession): void;
}

export function createSessionStreams(pulse: Pulse, quietMs: number): SessionStreams {
  const bySession = new Map<string, PushStream>();

  return {
    open(deps, session, principal, choice) {
      bySession.get(session.id)?.end();
      const following = createFollowing(deps, principal);
      const refollow = () => following.follow(deps.sessionStates.of(session).subscriptions);
      const letGo = deps.sessionStates.hold(session, refollow);
      const forget = () => {
        letGo();
        following.stop();
        deps.streams.delete(stream);
        if (bySession.get(session.id) === stream) bySession.delete(session.id);
      };
      const events = createEventStream(pulse, quietMs, forget, { 'mcp-session-id': session.id });
      const stream: PushStream = {
        principal,
        choice,
        sessionId: session.id,
        wantsList: () => true,
        wantsResource: (uri, snapshot) =>
          deps.sessionStates.of(session).subscriptions.has(uri) && isReadable(deps, snapshot, principal, uri),
        notify(method, params) {
          events.send(notificationText(method, params));
        },
        refollow,
        end() {
          forget();
          events.close();
        },
      };
      if (!deps.streams.add(stream)) {
        letGo();
        events.close();
        return err({ reason: 'stream_limit' });
      }
      bySession.set(session.id, stream);
      refollow();
      events.greet();
      return ok(events.response);
    },
    end(session) {
      bySession.get(session.id)?.end();
    },
  };
}
