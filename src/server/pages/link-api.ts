import type { Principal } from '#kernel/principal.ts';
import { holdsAll } from '#kernel/principal.ts';
import { linkStatus } from './link-status.ts';
import type { LinkableServer } from './linkable-server.ts';
import { jsonAnswer } from './page-answer.ts';
import type { PageDesk } from './page-desk.ts';

const startsPerMinute = 20;

/** For programs with a token, such as `cortex vault link`: where to link, and whether it is done. */
export function createLinkApi(desk: PageDesk) {
  async function admit(
    request: Request,
    id: string,
  ): Promise<Response | { readonly principal: Principal; readonly server: LinkableServer }> {
    const admitted = await desk.authenticate(request);
    if (!admitted.ok) return admitted.error;
    const principal = admitted.value;
    const server = desk.server(id);
    // One answer for what is not there and for what is not theirs.
    if (
      server === undefined ||
      principal.kind !== 'user' ||
      !holdsAll(principal.scopes, server.defaultScopes)
    ) {
      return jsonAnswer(desk.origin(), { error: 'unknown_server' }, 404);
    }
    return { principal, server };
  }

  return {
    /** `POST /link/<server>/start` -> `{url}`: a page that only this principal can use, once, for ten minutes. */
    async start(request: Request, id: string): Promise<Response> {
      const admitted = await admit(request, id);
      if (admitted instanceof Response) return admitted;
      const { principal } = admitted;
      if (desk.limiter.take(`start ${principal.key}`, startsPerMinute) > 0) {
        return jsonAnswer(desk.origin(), { error: 'rate_limited' }, 429);
      }
      const ticket = await desk.tickets.issue(principal, id);
      return jsonAnswer(desk.origin(), { url: `${desk.origin()}/link/${id}?ticket=${ticket}` });
    },

    /** `GET /link/<server>/status` -> `{server, state, account, linked_at}`; `state` is `linked`, `dead` or `unlinked`. */
    async status(request: Request, id: string): Promise<Response> {
      const admitted = await admit(request, id);
      if (admitted instanceof Response) return admitted;
      return jsonAnswer(desk.origin(), await linkStatus(desk.grants, admitted.principal, id));
    },
  };
}
