import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { runProgram } from '#cli/program.ts';
import type { Terminal } from '#cli/terminal.ts';
import { createHeadlessBrowser } from '#demo/headless-browser.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { locationOf, openPeople, type People, type Person, pageOf } from '../server/pages/people.ts';
import { freePort } from '../support/free-port.ts';

let people: People;
let ada: Person;
beforeAll(async () => {
  people = await openPeople();
  ada = await people.signedIn('ada@example.com');
});
afterAll(() => people[Symbol.asyncDispose]());
beforeEach(() => people.provider.grants.clear());

interface Running {
  readonly done: Promise<number>;
  stdout(): string;
  stderr(): string;
  /** The address that stderr shows and that `pattern` matches, once it is there. */
  address(pattern: RegExp): Promise<string>;
}

function start(line: string, given: Partial<Terminal> = {}): Running {
  let stdout = '';
  let stderr = '';
  const terminal: Terminal = {
    cwd: '/nowhere',
    environment: { HOME: '/nowhere' },
    out(text) {
      stdout += text;
    },
    say(text) {
      stderr += text;
    },
    isInteractive: false,
    columns: 80,
    ...given,
  };
  return {
    done: runProgram(line.split(' '), terminal, commands),
    stdout: () => stdout,
    stderr: () => stderr,
    async address(pattern) {
      await expect.poll(() => stderr, { timeout: 10_000 }).toMatch(pattern);
      return stderr.split(/\s+/).find((word) => pattern.test(word)) ?? '';
    },
  };
}

/** The person's part: signs in at the issuer; returns where the browser is sent. */
async function signIn(url: string, decision: 'allow' | 'deny' = 'allow'): Promise<string> {
  const { readLink } = people.demo.inbox;
  const back = await signUpHeadlessly({
    authorizationUrl: url,
    email: 'ada@example.com',
    readLink,
    decision,
  });
  return back.href;
}

/** Links in the browser of a person who is signed in at the gateway. */
async function linkInBrowser(url: string): Promise<void> {
  const page = pageOf(await ada.browser.open(url));
  const away = new URL(locationOf(await ada.browser.submit(page, '/link/linear', {})));
  const provider = createHeadlessBrowser();
  const back = locationOf(await provider.open(`${away.origin}/answer${away.search}`));
  pageOf(await ada.browser.submit(pageOf(await ada.browser.open(back)), '/link/linear/finish', {}));
}

const issuerAddress = () => new RegExp(`^${people.issuer}/authorize\\?`, 'm');
const pageAddress = () => new RegExp(`^${people.origin}/link/linear\\?ticket=`, 'm');

describe('vault link', () => {
  test('signs in over a loopback redirect, leads to the page, and is done when the account is linked', async () => {
    const running = start(`vault link linear --gateway ${people.origin}/mcp --no-browser`);
    const asked = new URL(await running.address(issuerAddress()));
    expect(asked.searchParams.get('resource')).toBe(`${people.origin}/mcp`);
    expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
    expect(asked.searchParams.get('scope')).toBe('mcp:notes:read mcp:billing:export');
    expect(asked.searchParams.get('client_id')).toBe(
      `${people.origin}/.well-known/oauth-client/command-line.json`,
    );
    expect(asked.searchParams.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);

    const forged = new URL(asked.searchParams.get('redirect_uri') ?? '');
    forged.search = '?code=x&state=another';
    expect((await fetch(forged)).status).toBe(400);

    const answer = await fetch(await signIn(asked.href));
    expect(answer.headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`);
    const page = await answer.text();
    const url = await running.address(pageAddress());
    expect(page).toContain(`content="0; url=${url}"`);
    expect(page).not.toContain('<script');
    await linkInBrowser(url);
    expect(await running.done).toBe(0);
    expect(running.stdout()).toBe('linked linear as ada@linear.example\n');
    expect(running.stderr()).not.toContain('eyJ');
  });

  test('takes the address that the person pastes, where the browser is on another machine', async () => {
    const typed = Promise.withResolvers<string>();
    const lines = [
      Promise.resolve('what?'),
      Promise.resolve('http://127.0.0.1:1/callback?state=x'),
      typed.promise,
    ];
    const running = start(`vault link linear --gateway ${people.origin}/mcp --no-browser --json`, {
      isInteractive: true,
      readLine: async () => lines.shift(),
    });
    const url = await running.address(issuerAddress());
    typed.resolve(`  ${await signIn(url)}\n`);
    await linkInBrowser(await running.address(pageAddress()));
    expect(await running.done).toBe(0);
    expect(JSON.parse(running.stdout())).toMatchObject({
      server: 'linear',
      state: 'linked',
      account: 'ada@linear.example',
    });
    expect(running.stderr()).toContain('That is not the answer to this sign-in');
  });

  test('a link that was there before does not count', async () => {
    await linkInBrowser(`${people.origin}/link/linear?ticket=${await people.ticketFor(ada.owner)}`);
    await Bun.sleep(5);
    people.provider.account = 'other@linear.example';
    const running = start(`vault link linear --gateway ${people.origin}/mcp --no-browser`);
    await fetch(await signIn(await running.address(issuerAddress())));
    await linkInBrowser(await running.address(pageAddress()));
    expect(await running.done).toBe(0);
    expect(running.stdout()).toBe('linked linear as other@linear.example\n');
    people.provider.account = 'ada@linear.example';
  });

  test('registers itself where the issuer reads no documents, and takes the client that it is given', async () => {
    await using other = await openPeople({ authorizationServer: () => ({ fetchDocument: undefined }) });
    const authorize = new RegExp(`^${other.issuer}/authorize\\?`, 'm');
    const line = `vault link linear --gateway ${other.origin}/mcp --no-browser`;
    for (const [more, isOurs] of [
      ['', (id: string | null) => id !== null && !id.includes('://')],
      [' --client-id mine', (id: string | null) => id === 'mine'],
    ] as const) {
      const running = start(line + more);
      const asked = new URL(await running.address(authorize)).searchParams;
      expect(asked.get('client_id')).toSatisfy(isOurs);
      const answer = new URLSearchParams({ error: 'access_denied', state: asked.get('state') ?? '' });
      await fetch(`${asked.get('redirect_uri')}?${answer}&iss=${encodeURIComponent(other.issuer)}`);
      expect(await running.done).toBe(1);
    }
  });

  test('says no with 1: the person declined, or there is no such server', async () => {
    const declined = start(`vault link linear --gateway ${people.origin}/mcp --no-browser`);
    const page = await fetch(await signIn(await declined.address(issuerAddress()), 'deny'));
    expect(await page.text()).toContain('You were not signed in');
    expect(await declined.done).toBe(1);

    const hidden = start(`vault link exports --gateway ${people.origin}/mcp --no-browser`);
    await fetch(await signIn(await hidden.address(issuerAddress())));
    expect(await hidden.done).toBe(1);
    expect(hidden.stderr()).toContain('no server exports is open to you');
  });

  test.each([
    ['vault link Linear!', 2, 'not the id of a server'],
    ['vault link linear --gateway nowhere', 2, '--gateway is the URL'],
    [`vault link linear --gateway http://127.0.0.1:${freePort()}/mcp`, 3, 'cannot be reached'],
  ])('%s ends with %i and says why', async (line, exitCode, message) => {
    const running = start(line);
    expect(await running.done).toBe(exitCode);
    expect(running.stderr()).toContain(message);
  });

  test('a gateway that calls itself otherwise is not trusted with a token', async () => {
    await using other = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: () =>
        Response.json({ resource: `${people.origin}/mcp`, authorization_servers: [people.issuer] }),
    });
    const running = start(`vault link linear --gateway ${other.url.origin}/mcp`);
    expect(await running.done).toBe(2);
    expect(running.stderr()).toContain('the gateway calls itself');
  });
});
