import type { OAuthClientProvider } from '@modelcontextprotocol/client';

type Saved<K extends 'clientInformation' | 'tokens' | 'discoveryState'> = Awaited<
  ReturnType<NonNullable<OAuthClientProvider[K]>>
>;

/** What a client of the SDK keeps while somebody signs in, and where it sends them. */
export function createSignIn() {
  const redirectUri = 'http://127.0.0.1/callback';
  const state = crypto.randomUUID();
  let information: Saved<'clientInformation'>;
  let tokens: Saved<'tokens'>;
  let discovery: Saved<'discoveryState'>;
  let verifier = '';
  let target: URL | undefined;

  const provider: OAuthClientProvider = {
    redirectUrl: redirectUri,
    clientMetadata: {
      client_name: 'A visitor’s agent',
      redirect_uris: [redirectUri],
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
    redirectToAuthorization(url) {
      target = url;
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
  return {
    provider,
    redirectUri,
    authorizationUrl(): string {
      if (target === undefined) throw new Error('the client sent nobody to sign in');
      return target.href;
    },
    /** The code in the address that the browser was sent back to. */
    codeOf(callback: string): URLSearchParams {
      const answer = new URL(callback).searchParams;
      if (answer.get('state') !== state) throw new Error('the answer belongs to another sign-in');
      return answer;
    },
  };
}
