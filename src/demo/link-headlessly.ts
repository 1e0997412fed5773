import { createHeadlessBrowser, type HeadlessBrowser, type Page, type Visit } from './headless-browser.ts';
import { signUpHeadlessly } from './sign-up.ts';

export interface LinkOptions {
  /** The page that the agent was given, with its ticket. */
  readonly url: string;
  /** The server to be linked. */
  readonly server: string;
  /** Who the person is to the gateway, and to the third party. */
  readonly email: string;
  readonly accountEmail: string;
  /** A browser that is signed in at the gateway's issuer already, or not yet. */
  readonly browser: HeadlessBrowser;
  readonly readLink: (email: string) => Promise<string>;
}

/**
 * Links an account as a person would: the gateway's page, its sign-in, the third party's own sign-up and consent, and
 * the look at the account before it is stored. Returns the heading of the last page.
 */
export async function linkHeadlessly(options: LinkOptions): Promise<string> {
  const { url, server, email, accountEmail, browser, readLink } = options;
  const gateway = createHeadlessBrowser();
  let visit = await gateway.open(url);
  const signIn = visit.kind === 'page' ? signInLink(visit.page) : undefined;
  if (signIn !== undefined) {
    const atIssuer = await gateway.open(signIn);
    if (atIssuer.kind === 'page') throw new Error(`The sign-in led to ${atIssuer.page.url}.`);
    const authorizationUrl = atIssuer.location;
    const callback = await signUpHeadlessly({ authorizationUrl, email, browser, readLink });
    visit = await gateway.open(callback.href);
  }
  const atProvider = await gateway.submit(pageOf(visit), `/link/${server}`, {});
  if (atProvider.kind === 'page') throw new Error(`Linking led to ${atProvider.page.html}.`);
  const callback = await signUpHeadlessly({
    authorizationUrl: atProvider.location,
    email: accountEmail,
    readLink,
  });
  const confirm = pageOf(await gateway.open(callback.href));
  const outcome = pageOf(await gateway.submit(confirm, `/link/${server}/finish`, {}));
  return /<h1>([\s\S]*?)<\/h1>/.exec(outcome.html)?.[1] ?? '';
}

function pageOf(visit: Visit): Page {
  if (visit.kind === 'left') throw new Error(`Expected a page, was sent to ${visit.location}.`);
  if (visit.page.status !== 200) throw new Error(`${visit.page.url} answered ${visit.page.status}.`);
  return visit.page;
}

/** Where a page asks to sign in first. */
function signInLink({ html }: Page): string | undefined {
  return /href="([^"]*\/sign-in\?[^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
}
