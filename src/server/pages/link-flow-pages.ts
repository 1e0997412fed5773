import { catalogOwner, isCatalogOwner } from '#vault/catalog-owner.ts';
import type { GrantOwner } from '#vault/grant.ts';
import type { LinkTicket } from '#vault/link-tickets.ts';
import { actOutcome } from './act-outcome.ts';
import { beginPage, confirmPage } from './link-pages.ts';
import type { LinkableServer } from './linkable-server.ts';
import type { Message } from './message-page.ts';
import { redirectAnswer } from './page-answer.ts';
import type { PageDesk } from './page-desk.ts';
import { readPageForm } from './page-form.ts';
import type { Visitor } from './visitors.ts';
import { shown } from './words.ts';

const home = { label: 'Your accounts', href: '/link' } as const;

/** Whose link it will be; `name` is undefined for the catalog's own. */
interface For {
  readonly owner: GrantOwner;
  readonly name: string | undefined;
}

/** Linking one server: what is about to happen, the way to the provider and back, and the outcome. */
export function createLinkFlowPages(desk: PageDesk) {
  const { visitors } = desk;
  const titleOf = ({ id, title }: LinkableServer) => title ?? id;
  const refuse = (visitor: Visitor, message: Message, status: number) =>
    desk.message(visitor, { next: home, ...message }, status);

  const usedTicket: Message = {
    title: 'This link is used up',
    text: [
      'It was used already, or is older than ten minutes.',
      'Ask your agent again for a new one, or begin from your accounts.',
    ],
  };
  const notOurForm: Message = {
    title: 'That did not come from our page',
    text: [
      'Or you were signed out meanwhile. Nothing was linked: begin again from your accounts, or ask your agent for a new link.',
    ],
  };
  const notForYou: Message = {
    title: 'There is nothing to link here',
    text: ['No server of that name is open to you. Your accounts show those that are.'],
  };

  /** Who may use this ticket in this browser: the person it was made for, or, for the catalog, whoever holds it. */
  function holderOf(visitor: Visitor, ticket: LinkTicket): For | 'sign_in' | 'another' {
    if (isCatalogOwner(ticket.owner)) return { owner: ticket.owner, name: undefined };
    if (visitor.session === undefined) return 'sign_in';
    if (visitor.session.owner.key !== ticket.owner.key) return 'another';
    return { owner: ticket.owner, name: visitor.session.name };
  }

  function anotherPerson(visitor: Visitor): Response {
    const message = {
      title: 'This link is not for you',
      text: [
        `You are signed in as ${shown(visitor.session?.name ?? '')}, and the link was made for somebody else. Nothing was linked.`,
        'If it is yours, sign out on your accounts page, sign in as the account that your agent uses, and open the link again.',
      ],
    };
    return refuse(visitor, message, 403);
  }

  async function openTicket(text: string, id: string): Promise<LinkTicket | undefined> {
    const ticket = await desk.tickets.open(text);
    return ticket?.server === id ? ticket : undefined;
  }

  /** Who may begin here: the one that the ticket was made for; without one, whoever may use the server. */
  async function admit(
    visitor: Visitor,
    id: string,
    ticketText: string | undefined,
    signInStatus: number,
  ): Promise<Response | { readonly server: LinkableServer; readonly whose: For }> {
    const server = desk.server(id);
    const { session } = visitor;
    if (ticketText === undefined) {
      if (session === undefined)
        return desk.signInFirst(visitor, `/link/${id}`, ['Then you can link your account.'], signInStatus);
      if (server === undefined || !desk.mayUse(session, server)) return refuse(visitor, notForYou, 404);
      return { server, whose: { owner: session.owner, name: session.name } };
    }
    const ticket = await openTicket(ticketText, id);
    if (ticket === undefined || server === undefined) return refuse(visitor, usedTicket, 410);
    const holder = holderOf(visitor, ticket);
    if (holder === 'another') return anotherPerson(visitor);
    if (holder !== 'sign_in') return { server, whose: holder };
    const text = `Your agent wants to use ${shown(titleOf(server))} in your name. Sign in as the person it works for; then you can link your account there.`;
    const here = `/link/${id}?${new URLSearchParams({ ticket: ticketText })}`;
    return desk.signInFirst(visitor, here, [text], signInStatus);
  }

  /** Who goes on with a flow that was begun. */
  function ownerOf(request: Request, visitor: Visitor, id: string): For | undefined {
    if (visitors.holdsCatalogPass(request, visitor, id)) return { owner: catalogOwner(id), name: undefined };
    const { session } = visitor;
    return session === undefined ? undefined : { owner: session.owner, name: session.name };
  }

  return {
    /** `GET /link/<server>`, with a ticket or without. Changes nothing, however often it is fetched. */
    async show(request: Request, url: URL, id: string): Promise<Response> {
      const visitor = visitors.recognise(request);
      const ticket = url.searchParams.get('ticket') ?? undefined;
      const admitted = await admit(visitor, id, ticket, 200);
      if (admitted instanceof Response) return admitted;
      const { server, whose } = admitted;
      const grants = await desk.grants.list(whose.owner);
      const html = beginPage({
        gateway: desk.gateway().name,
        server: { id, title: titleOf(server) },
        name: whose.name,
        ticket,
        csrf: visitor.csrf,
        isLinked: grants.some((grant) => grant.server === id && !grant.isDead),
      });
      return desk.page(visitor, html, { leadsToProvider: true });
    },

    /** `POST /link/<server>`: uses the ticket up and goes to the provider. */
    async begin(request: Request, id: string): Promise<Response> {
      const form = await readPageForm(request);
      const visitor = visitors.recognise(request);
      if (!visitors.isOwnForm(request, visitor, form?.get('csrf'))) return refuse(visitor, notOurForm, 403);
      const ticket = form?.get('ticket');
      const admitted = await admit(visitor, id, ticket, 403);
      if (admitted instanceof Response) return admitted;
      const { server, whose } = admitted;
      const { owner } = whose;
      if (ticket !== undefined && !(await desk.tickets.consume(ticket, owner, id)))
        return refuse(visitor, usedTicket, 410);
      const begun = await desk.linking.begin({ owner, server: id, browser: visitor.browser });
      if (!begun.ok) {
        await desk.record(owner, { action: 'begin', server: id, ...actOutcome(begun) });
        const title = `${shown(titleOf(server))} cannot be linked right now`;
        return refuse(visitor, { title, text: [shown(begun.error.message, 300)] }, 502);
      }
      const pass = visitors.catalogPass(visitor, isCatalogOwner(owner) ? id : undefined);
      return redirectAnswer(desk.origin(), begun.value.authorizeUrl, [...visitor.cookies, pass]);
    },

    /** `GET /link/<server>/callback`: the provider's answer. What it brings is shown, not stored. */
    async callback(request: Request, url: URL, id: string): Promise<Response> {
      const visitor = visitors.recognise(request);
      const target = request.headers.get('sec-fetch-dest');
      if ((target !== null && target !== 'document') || request.headers.get('sec-purpose') !== null) {
        const text = ['This page works in a tab of its own alone. Nothing was linked.'];
        return refuse(visitor, { title: 'Not in here', text }, 400);
      }
      const whose = ownerOf(request, visitor, id);
      if (visitor.cookies.length > 0) {
        const text = ['A link has to be finished in the browser that began it. Nothing was linked.'];
        return refuse(visitor, { title: 'This link was begun elsewhere', text }, 403);
      }
      if (whose === undefined) {
        return desk.signInFirst(visitor, url.pathname + url.search, [
          'You were signed out meanwhile. Sign in again to go on with your link.',
        ]);
      }
      const server = desk.server(id);
      if (server === undefined) return refuse(visitor, notForYou, 404);
      const { owner, name } = whose;
      const answered = await desk.linking.callback({
        server: id,
        url: desk.origin() + url.pathname + url.search,
        browser: visitor.browser,
        owner,
      });
      if (!answered.ok) {
        await desk.record(owner, { action: 'answer', server: id, ...actOutcome(answered) });
        const title = `${shown(titleOf(server))} was not linked`;
        return refuse(visitor, { title, text: [shown(answered.error.message, 300)] }, 400);
      }
      const { flow, account, scopes, provider } = answered.value;
      const html = confirmPage({
        gateway: desk.gateway().name,
        server: { id, title: titleOf(server) },
        name,
        account,
        provider,
        scopes,
        flow,
        csrf: visitor.csrf,
      });
      return desk.page(visitor, html);
    },

    /** `POST /link/<server>/finish`: the person has seen the account and says yes. */
    async finish(request: Request, id: string): Promise<Response> {
      const form = await readPageForm(request);
      const visitor = visitors.recognise(request);
      const flow = form?.get('flow');
      const whose = ownerOf(request, visitor, id);
      const isOurs = visitors.isOwnForm(request, visitor, form?.get('csrf'));
      if (!isOurs || whose === undefined || flow === undefined) return refuse(visitor, notOurForm, 403);
      if (!desk.mayRecord()) return desk.notRecordable(visitor);
      const { owner, name } = whose;
      const linked = await desk.linking.confirm({ flow, server: id, browser: visitor.browser, owner });
      await desk.record(owner, { action: 'link', server: id, ...actOutcome(linked) });
      const title = shown(desk.server(id)?.title ?? id);
      if (!linked.ok) {
        return refuse(
          visitor,
          { title: `${title} was not linked`, text: [shown(linked.error.message, 300)] },
          409,
        );
      }
      desk.linkingChanged(id, owner);
      const { account } = linked.value;
      const text = [
        account === undefined ? `Your account at ${title} is linked.` : `Linked as ${shown(account)}.`,
        name === undefined
          ? 'The catalog is read with it from now on. You can close this page.'
          : 'Go back to your agent: it can go on now. If it does not by itself, ask it to try again. You can close this page.',
      ];
      const cookies = name === undefined ? [visitors.catalogPass(visitor, undefined)] : [];
      return desk.message(
        visitor,
        { title: `${title} is linked`, text, next: home, isDone: true },
        200,
        cookies,
      );
    },
  };
}
