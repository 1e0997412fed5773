import { createHash } from 'node:crypto';
import { isJsonObject, stringAt } from '#kernel/json.ts';
import {
  createHeadlessBrowser,
  type FetchFunction,
  type HeadlessBrowser,
  type Visit,
} from './headless-browser.ts';

export interface SignUpOptions {
  /** The authorization URL that a client built. */
  readonly authorizationUrl: string;
  readonly email: string;
  /** The link of the mail, once it is there. */
  readonly readLink: (email: string) => Promise<string>;
  readonly decision?: 'allow' | 'deny';
  /** A browser that may be signed in already. Undefined: a fresh one. */
  readonly browser?: HeadlessBrowser;
}

/**
 * Signs up at the demo authorization server as a person would: e-mail form, link, button, consent. Returns the
 * redirect to the client, with `code`, `state` and `iss`, or with `error`. Throws where a page is not the expected one.
 */
export async function signUpHeadlessly(options: SignUpOptions): Promise<URL> {
  const {
    authorizationUrl,
    email,
    readLink,
    decision = 'allow',
    browser = createHeadlessBrowser(),
  } = options;
  let visit = await browser.open(authorizationUrl);
  if (visit.kind === 'page' && new URL(visit.page.url).pathname === '/sign-in') {
    pageOf(await browser.submit(visit.page, '/sign-in', { email }), 200);
    const confirm = pageOf(await browser.open(await readLink(email)), 200);
    visit = await browser.submit(confirm, '/sign-in/link', {});
  }
  if (visit.kind === 'page') visit = await browser.submit(visit.page, '/authorize', { decision });
  if (visit.kind === 'page') throw new Error(`Expected the redirect to the client, got ${visit.page.url}.`);
  return new URL(visit.location);
}

function pageOf(visit: Visit, status: number) {
  if (visit.kind === 'left') throw new Error(`Expected a page, was sent to ${visit.location}.`);
  if (visit.page.status !== status) throw new Error(`${visit.page.url} answered ${visit.page.status}.`);
  return visit.page;
}

export interface SignUpTokens {
  readonly clientId: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly scope: string;
}

/** The whole way of a new client and a new user: registration, sign-up, code with PKCE, tokens. */
export async function signUpForTokens(options: {
  readonly issuer: string;
  readonly resource: string;
  readonly email: string;
  readonly readLink: (email: string) => Promise<string>;
  /** Undefined: everything the user's plan allows. */
  readonly scope?: string;
  readonly clientName?: string;
  readonly browser?: HeadlessBrowser;
  readonly fetch?: FetchFunction;
}): Promise<SignUpTokens> {
  const {
    issuer,
    resource,
    email,
    readLink,
    scope,
    clientName = 'Cortex demo tour',
    fetch: send = fetch,
  } = options;
  const redirectUri = 'http://127.0.0.1/callback';
  const client = await postForJson(send, `${issuer}/register`, 'application/json', {
    client_name: clientName,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  });
  const clientId = required(client, 'client_id');
  const verifier = crypto.getRandomValues(Buffer.alloc(32)).toString('base64url');
  const state = crypto.randomUUID();
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
    ...(scope === undefined ? {} : { scope }),
  });
  const redirect = await signUpHeadlessly({
    authorizationUrl: `${issuer}/authorize?${query}`,
    email,
    readLink,
    browser: options.browser ?? createHeadlessBrowser(send),
  });
  const code = redirect.searchParams.get('code');
  const answers = redirect.searchParams;
  if (code === null || answers.get('state') !== state || answers.get('iss') !== issuer)
    throw new Error(
      `The authorization was answered with ${answers.get('error') ?? 'another state or issuer'}.`,
    );
  const tokens = await postForJson(send, `${issuer}/token`, 'application/x-www-form-urlencoded', {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    resource,
  });
  return {
    clientId,
    accessToken: required(tokens, 'access_token'),
    refreshToken: stringAt(tokens, 'refresh_token'),
    scope: required(tokens, 'scope'),
  };
}

async function postForJson(
  send: FetchFunction,
  url: string,
  type: 'application/json' | 'application/x-www-form-urlencoded',
  body: Readonly<Record<string, string | readonly string[]>>,
) {
  const form = () =>
    new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)])).toString();
  const text = type === 'application/json' ? JSON.stringify(body) : form();
  const answer = await send(url, { method: 'POST', headers: { 'content-type': type }, body: text });
  const json: unknown = await answer.json();
  if (!answer.ok || !isJsonObject(json))
    throw new Error(`${url} answered ${answer.status}: ${JSON.stringify(json)}`);
  return json;
}

function required(object: Parameters<typeof stringAt>[0], key: string): string {
  const value = stringAt(object, key);
  if (value === undefined) throw new Error(`The answer holds no ${key}.`);
  return value;
}
