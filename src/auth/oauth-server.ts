import { isJsonObject, isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type FetchJson, isAsSafeAs, wellKnownUrls } from './discovery.ts';

/** What a client needs to know of an authorization server (RFC 8414). */
export interface OAuthServer {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly registrationEndpoint: string | undefined;
  /** A client may be the URL of its own document (OAuth Client ID Metadata Document). */
  readonly readsClientDocuments: boolean;
  /** Its answers name their issuer (RFC 9207), and one that does not is refused. */
  readonly namesIssuer: boolean;
  readonly tokenAuthMethods: readonly string[];
  /** Refresh tokens are asked for by the scope `offline_access`. */
  readonly offersOfflineAccess: boolean;
  /** How a client that registers should authenticate: `none` where that is taken, or where nothing is said. */
  readonly registrationAuthMethod: string;
}

/** Reads an issuer's metadata: the first document that names the issuer byte for byte and has both endpoints. The error is for the log. */
export async function readOAuthServer(
  issuer: string,
  fetchJson: FetchJson,
  signal: AbortSignal,
): Promise<Result<OAuthServer, string>> {
  let problem = 'no metadata';
  for (const url of wellKnownUrls(issuer)) {
    const found = await fetchJson(url, signal);
    if (!found.ok) problem = `${url}: ${found.error}`;
    if (!found.ok || !isJsonObject(found.value)) continue;
    const server = serverOf(issuer, found.value);
    if (server !== undefined) return ok(server);
    problem = `${url} names another issuer, or has no endpoints to sign in at`;
  }
  return err(problem);
}

function serverOf(issuer: string, document: JsonObject): OAuthServer | undefined {
  const endpoint = (name: string) => {
    const url = stringAt(document, name);
    return url !== undefined && isAsSafeAs(issuer, url) ? url : undefined;
  };
  const authorizationEndpoint = endpoint('authorization_endpoint');
  const tokenEndpoint = endpoint('token_endpoint');
  if (stringAt(document, 'issuer') !== issuer) return undefined;
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined) return undefined;
  const methods = document.token_endpoint_auth_methods_supported;
  return {
    issuer,
    authorizationEndpoint,
    tokenEndpoint,
    registrationEndpoint: endpoint('registration_endpoint'),
    readsClientDocuments: document.client_id_metadata_document_supported === true,
    namesIssuer: document.authorization_response_iss_parameter_supported === true,
    offersOfflineAccess:
      isStringArray(document.scopes_supported) && document.scopes_supported.includes('offline_access'),
    tokenAuthMethods: isStringArray(methods) ? methods : ['client_secret_basic'],
    registrationAuthMethod:
      (isStringArray(methods) ? ourMethods.find((method) => methods.includes(method)) : undefined) ?? 'none',
  };
}

/** The simplest first. */
const ourMethods = ['none', 'client_secret_basic', 'client_secret_post'] as const;
