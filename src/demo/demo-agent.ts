import {
  Client,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { HeadlessBrowser } from './headless-browser.ts';
import { signUpHeadlessly } from './sign-up.ts';

type Saved<K extends 'clientInformation' | 'tokens' | 'discoveryState'> = Awaited<
  ReturnType<NonNullable<OAuthClientProvider[K]>>
>;

/** An MCP client as people use it: the official SDK, which registers, signs in and refreshes by itself. */
export interface DemoAgent {
  readonly client: Client;
  readonly clientId: string;
  /** The scopes that the last token came with. */
  scopes(): readonly string[];
  accessToken(): string;
  /** Gets a new token for the refresh token, with what the user's plan now allows, and connects again. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

export interface DemoAgentOptions {
  /** The gateway's URL: all that the client is given. */
  readonly url: string;
  readonly name: string;
  readonly email: string;
  readonly era: 'modern' | 'legacy';
  readonly browser: HeadlessBrowser;
  readonly readLink: (email: string) => Promise<string>;
  readonly onToolsChanged: () => void;
  /** The user is to open this page; resolves when that is done. */
  readonly onOpenPage: (url: string) => Promise<void>;
}

/** Connects; the browser part of the sign-in is done without a browser, page by page. */
export async function connectDemoAgent(options: DemoAgentOptions): Promise<DemoAgent> {
  const { url, email, browser, readLink } = options;
  let information: Saved<'clientInformation'>;
  let tokens: Saved<'tokens'>;
  let discovery: Saved<'discoveryState'>;
  let verifier = '';
  let authorizationUrl: URL | undefined;
  const state = crypto.randomUUID();

  const provider: OAuthClientProvider = {
    redirectUrl: 'http://127.0.0.1/callback',
    clientMetadata: {
      client_name: options.name,
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
    },
    state: () => state,
    clientInformation: () => information,
    saveClientInformation(saved) {
      information = saved;
    },
    tokens: () => tokens,
    saveTokens(saved) {
      tokens = saved;
    },
    redirectToAuthorization(target) {
      authorizationUrl = target;
    },
    saveCodeVerifier(saved) {
      verifier = saved;
    },
    codeVerifier: () => verifier,
    saveDiscoveryState(saved) {
      discovery = saved;
    },
    discoveryState: () => discovery,
  };

  const makeTransport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
  const makeClient = () => {
    const client = new Client(
      { name: options.name, version: '1.0.0' },
      {
        capabilities: { elicitation: { url: {} } },
        versionNegotiation: { mode: options.era === 'modern' ? 'auto' : 'legacy' },
        listChanged: { tools: { autoRefresh: false, onChanged: options.onToolsChanged } },
      },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      if (params.mode !== 'url') return { action: 'decline' };
      await options.onOpenPage(params.url);
      return { action: 'accept' };
    });
    return client;
  };

  async function connectOnce(): Promise<Client> {
    const client = makeClient();
    await client.connect(makeTransport());
    return client;
  }

  async function signIn(): Promise<void> {
    const transport = makeTransport();
    await makeClient()
      .connect(transport)
      .then(
        () => Promise.reject(new Error('The gateway let a client in that has no token.')),
        (error: unknown) => {
          if (!(error instanceof UnauthorizedError)) throw error;
        },
      );
    if (authorizationUrl === undefined) throw new Error('The client was not sent to sign in.');
    const callback = await signUpHeadlessly({
      authorizationUrl: authorizationUrl.href,
      email,
      browser,
      readLink,
    });
    if (callback.searchParams.get('state') !== state)
      throw new Error('The sign-in came back with another state.');
    await transport.finishAuth(callback.searchParams);
  }

  await signIn();
  let client = await connectOnce();
  return {
    get client() {
      return client;
    },
    get clientId() {
      return information?.client_id ?? '';
    },
    scopes: () => tokens?.scope?.split(' ') ?? [],
    accessToken: () => tokens?.access_token ?? '',
    async renew() {
      await client.close();
      const refreshToken = tokens?.refresh_token;
      if (tokens === undefined || refreshToken === undefined)
        throw new Error('The client holds no refresh token.');
      // A token that the gateway refuses makes the SDK use the refresh token, as an expired one would.
      tokens = { ...tokens, access_token: 'expired' };
      client = await connectOnce();
    },
    close: () => client.close(),
  };
}
