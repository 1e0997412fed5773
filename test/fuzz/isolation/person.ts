import {
  createHeadlessBrowser,
  type HeadlessBrowser,
  type Page,
  type Visit,
} from '#demo/headless-browser.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { challenge, redirectUri, verifier } from '../../demo/demo-fixture.ts';
import type { EventReader } from '../../support/event-reader.ts';
import { createCaller, type LegacyClient, type McpCaller } from '../../support/mcp-caller.ts';
import { canonicalUrl } from '../../support/running-gateway.ts';
import { canary, type Owner } from './canary.ts';
import { scopes, type ThirdParties } from './third-parties.ts';
import type { WatchedGateway } from './watched-gateway.ts';

export type LinkedServer = 'board' | 'calendar';
export const gatewayOrigin = new URL(canonicalUrl).origin;
export const allScopes = Object.keys(scopes);

/** One person with an agent, browsers, and an account at each third party. */
export interface Person {
  readonly owner: Owner;
  /** At the gateway's pages. */
  readonly browser: HeadlessBrowser;
  /** Event streams that its agent holds. */
  readonly streams: EventReader[];
  /** A new token with these scopes. */
  signIn(wanted: readonly string[]): Promise<void>;
  /** Its agent, with a token that still holds. */
  agent(): Promise<McpCaller>;
  /** Its session of the older protocol, of which the gateway may know nothing any more. */
  session(): Promise<LegacyClient>;
  /** Opens one of the gateway's pages, signing in on the way. */
  openPage(url: string): Promise<Page>;
  /** From the form of a page to the provider's answer; undefined where the page has no such form. */
  consentFrom(page: Page, server: LinkedServer): Promise<string | undefined>;
}

interface Token {
  readonly text: string;
  readonly expiresAt: number;
  readonly scopes: readonly string[];
}

export function createPerson(
  owner: Owner,
  deps: {
    readonly parties: ThirdParties;
    readonly gateway: WatchedGateway;
    readonly clock: Clock;
    /** Of whom the twin has the subject. */
    readonly subjectOf: (owner: Owner) => string;
  },
): Person {
  const { parties, gateway, clock } = deps;
  const { ours, theirs, calendar, calendarInbox } = parties;
  const email = `${canary(owner, 'mail')}@example.com`;
  const account = `${canary(owner, 'account')}@example.com`;
  const atIssuer = createHeadlessBrowser(ours.demo.send);
  const atTheirs = createHeadlessBrowser(theirs.demo.send);
  const atCalendar = createHeadlessBrowser(calendar.send);
  const browser = createHeadlessBrowser((url, init) => gateway.fetchAs(owner, new Request(url, init)));
  const streams: EventReader[] = [];
  let clientId: string | undefined;
  let token: Token | undefined;
  let agent: McpCaller | undefined;
  let session: LegacyClient | undefined;

  async function postForm(path: string, form: Readonly<Record<string, string>>) {
    const answer = await ours.demo.send(`${ours.issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const told = parseJson(await answer.text());
    return told.ok && isJsonObject(told.value) ? told.value : {};
  }

  async function tokenFromIssuer(wanted: readonly string[]): Promise<string> {
    clientId ??= await registered();
    const url = new URL(`${ours.issuer}/authorize`);
    const query = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      resource: canonicalUrl,
      scope: wanted.join(' '),
    };
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const back = await signUpHeadlessly({
      authorizationUrl: url.href,
      email,
      readLink: ours.demo.inbox.readLink,
      browser: atIssuer,
    });
    const told = await postForm('/token', {
      grant_type: 'authorization_code',
      client_id: clientId,
      code: back.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    return stringAt(told, 'access_token') ?? fail(`no token: ${JSON.stringify(told)}`);
  }

  async function registered(): Promise<string> {
    const body = JSON.stringify({
      client_name: canary(owner, 'agent'),
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
    });
    const answer = await ours.demo.send(`${ours.issuer}/register`, { method: 'POST', body });
    const told: unknown = await answer.json();
    return (isJsonObject(told) ? stringAt(told, 'client_id') : undefined) ?? fail('not registered');
  }

  function minted(wanted: readonly string[]): Promise<string> {
    const iat = Math.floor(clock.now() / 1_000);
    const scope = wanted.join(' ');
    return parties.other.mint({ sub: deps.subjectOf('ada'), email, scope, iat, exp: iat + 900 });
  }

  async function signIn(wanted: readonly string[]): Promise<void> {
    const text = await (owner === 'twin' ? minted(wanted) : tokenFromIssuer(wanted));
    token = { text, expiresAt: clock.now() + 800_000, scopes: wanted };
    parties.secrets.add(text);
    const claims = parseJson(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString());
    const subject = claims.ok && isJsonObject(claims.value) ? stringAt(claims.value, 'sub') : undefined;
    gateway.own.set(owner, new Set([subject ?? fail('no subject'), text]));
    agent = createCaller(text, (request) => gateway.fetchAs(owner, request));
    session = undefined;
  }

  async function freshAgent(): Promise<McpCaller> {
    if (token === undefined || token.expiresAt <= clock.now()) await signIn(token?.scopes ?? allScopes);
    return agent ?? fail('no agent');
  }

  return {
    owner,
    browser,
    streams,
    signIn,
    agent: freshAgent,
    async session() {
      const caller = await freshAgent();
      const before = session;
      if (before !== undefined && (await before.request('ping')).status === 200) return before;
      session = await caller.initialize({ capabilities: { elicitation: {} } });
      return session;
    },
    async openPage(url) {
      const page = pageOf(await browser.open(url));
      const href = /href="([^"]*\/sign-in\?[^"]*)"/.exec(page.html)?.[1]?.replaceAll('&amp;', '&');
      // The twin cannot sign in here: the pages know the first issuer alone.
      if (href === undefined || owner === 'twin') return page;
      const toIssuer = await browser.open(href);
      if (toIssuer.kind === 'page') return toIssuer.page;
      const { readLink } = ours.demo.inbox;
      const authorizationUrl = toIssuer.location;
      const back = await signUpHeadlessly({ authorizationUrl, email, readLink, browser: atIssuer });
      return pageOf(await browser.open(back.href));
    },
    async consentFrom(page, server) {
      if (!page.html.includes(`action="/link/${server}"`)) return undefined;
      const toProvider = await browser.submit(page, `/link/${server}`, {});
      if (toProvider.kind === 'page') return undefined;
      const at =
        server === 'board'
          ? { browser: atTheirs, readLink: theirs.demo.inbox.readLink }
          : { browser: atCalendar, readLink: calendarInbox.readLink };
      const authorizationUrl = toProvider.location;
      return (await signUpHeadlessly({ authorizationUrl, email: account, ...at })).href;
    },
  };
}

export function pageOf(visit: Visit): Page {
  return visit.kind === 'page' ? visit.page : fail(`sent to ${visit.location}`);
}

function fail(message: string): never {
  throw new Error(message);
}
