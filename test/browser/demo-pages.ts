import { readAnswer } from '../demo/demo-fixture.ts';
import { listen } from '../demo/listening-demo.ts';
import type { Tab } from './chromium.ts';

const nativeRedirect = 'cursor://anysphere.cursor-mcp/oauth/callback';

export interface DemoPages {
  /** Goes through the demo as a person does, in the order of the names, and calls `see` on each page. */
  walk(tab: Tab, see: (name: string) => Promise<void>): Promise<void>;
  close(): void;
}

/** The pages of the demo's authorization server, on a real socket. */
export async function openDemoPages(): Promise<DemoPages> {
  const listening = await listen();
  const { demo, issuer, resource } = listening;
  const client = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('Signed in.') });
  let visitors = 0;

  async function register(name: string, redirectUri: string): Promise<string> {
    const answer = await fetch(`${issuer}/register`, {
      method: 'POST',
      body: JSON.stringify({
        client_name: name,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
      }),
    });
    const clientId = (await readAnswer(answer)).text('client_id');
    return `${issuer}/authorize?${new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
      state: 'the-state',
      resource,
    })}`;
  }
  const [loopback, site, native] = [
    await register('Claude Code', `${client.url.origin}/callback`),
    await register(
      'A very long name that a client chose for itself, to see what happens',
      'https://phish.test/landing',
    ),
    await register('Cursor', nativeRedirect),
  ];

  return {
    async walk(tab, see) {
      visitors += 1;
      const email = `ada.${visitors}@example.com`;
      await tab.open(loopback);
      await see('sign-in');
      await tab.evaluate(`${field}.form.noValidate = true; ${field}.value = 'nobody'`);
      await tab.leaveBy(button('Mail me a link'));
      await see('sign-in with a problem');
      await tab.evaluate(`${field}.value = ${JSON.stringify(email)}`);
      await tab.leaveBy(button('Mail me a link'));
      await see('check mail');
      await tab.open(await demo.inbox.readLink(email));
      await see('confirm');
      await tab.leaveBy(button('Sign in'));
      await see('consent, loopback');
      await tab.leaveBy(button('Allow'));
      await tab.open(site);
      await see('consent, site');
      await tab.open(`${site}&response_type=token`);
      await see('error');
      await tab.open(`${issuer}/sign-in/link?token=used`);
      await see('message');
      await tab.open(`${issuer}/account`);
      await see('account');
      await tab.leaveBy(button('Switch to pro'));
      await see('account, pro');
      await tab.open(native);
      await see('consent, app');
      await tab.click(button('Allow'));
      await Bun.sleep(300);
      await see('after the consent, app');
    },
    close() {
      listening.close();
      client.stop(true);
    },
  };
}

const field = "document.querySelector('[name=email]')";
const button = (name: string) =>
  `[...document.querySelectorAll('button')].find(({ textContent }) => textContent === ${JSON.stringify(name)})`;
