import { accountsPage } from './accounts-page.ts';
import { actOutcome } from './act-outcome.ts';
import type { PageDesk } from './page-desk.ts';
import { readPageForm } from './page-form.ts';
import { shown } from './words.ts';

const shownCalls = 20;

/** `/link`: what is linked, and taking a link back. */
export function createAccountPages(desk: PageDesk) {
  return {
    /** `GET /link` */
    async list(request: Request): Promise<Response> {
      const visitor = desk.visitors.recognise(request);
      const { session } = visitor;
      if (session === undefined) {
        const text = ['Here you see which accounts your agents may use, link new ones and take links back.'];
        return desk.signInFirst(visitor, '/link', text);
      }
      const [grants, calls] = await Promise.all([
        desk.grants.list(session.owner),
        desk.recentCalls(session.owner, shownCalls).catch((error: unknown) => {
          desk.log.error('pages.calls_unreadable', {
            error: error instanceof Error ? error.message : 'unknown',
          });
          return undefined;
        }),
      ]);
      const ids = new Set([...desk.servers().map(({ id }) => id), ...grants.map(({ server }) => server)]);
      // A link stays in sight, and can be taken back, when the right to use the server or the server itself is gone.
      const servers = [...ids]
        .map((id) => {
          const server = desk.server(id);
          const grant = grants.find((one) => one.server === id);
          const isOpen = server !== undefined && desk.mayUse(session, server);
          return { id, title: server?.title ?? id, grant, isOpen };
        })
        .filter(({ grant, isOpen }) => grant !== undefined || isOpen);
      const html = accountsPage({
        gateway: desk.gateway().name,
        name: session.name,
        servers,
        calls,
        csrf: visitor.csrf,
        now: desk.clock.now(),
      });
      return desk.page(visitor, html, { leadsToProvider: true });
    },

    /** `POST /link/<server>/unlink` */
    async unlink(request: Request, id: string): Promise<Response> {
      const form = await readPageForm(request);
      const visitor = desk.visitors.recognise(request);
      const next = { label: 'Your accounts', href: '/link' };
      if (visitor.session === undefined || !desk.visitors.isOwnForm(request, visitor, form?.get('csrf'))) {
        const text = [
          'Or you were signed out meanwhile. Nothing was changed: open your accounts again, and unlink there.',
        ];
        return desk.message(visitor, { title: 'That did not come from our page', text, next }, 403);
      }
      if (!desk.mayRecord()) return desk.notRecordable(visitor);
      const { owner } = visitor.session;
      const title = shown(desk.server(id)?.title ?? id);
      const unlinked = await desk.linking.unlink(owner, id);
      await desk.record(owner, { action: 'unlink', server: id, ...actOutcome(unlinked) });
      if (!unlinked.ok) {
        const { message } = unlinked.error;
        return desk.message(
          visitor,
          { title: `${title} was not unlinked`, text: [shown(message, 300)], next },
          409,
        );
      }
      desk.linkingChanged(id, owner);
      const text = [
        'The gateway has forgotten your access there. Your agents can no longer use it.',
        unlinked.value.wasRevoked
          ? 'The provider was told, and confirmed it.'
          : 'The provider could not be told. To be sure, remove this gateway among the connected applications of your account there.',
      ];
      return desk.message(visitor, { title: `${title} is unlinked`, text, next, isDone: true });
    },
  };
}
