import { wellKnownUrls } from '#auth/discovery.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { FetchJson } from '#outbound/fetch-json.ts';

/** Where an issuer gives out tokens, and how it wants its clients to say who they are. */
export interface TokenEndpoint {
  readonly url: string;
  readonly authMethod: 'client_secret_basic' | 'client_secret_post';
}

const keptMs = 10 * 60_000;
const maxIssuers = 100;

/**
 * Finds token endpoints by discovery and remembers them. A metadata document counts only if it names the very issuer
 * (RFC 8414 section 3.3), and an https issuer's endpoint must be https. The error is for the log.
 */
export function createTokenEndpoints(
  fetchJson: FetchJson,
  clock: Clock,
): (issuer: string) => Promise<Result<TokenEndpoint, string>> {
  const known = new Map<string, { readonly until: number; readonly found: TokenEndpoint }>();

  return async (issuer) => {
    const before = known.get(issuer);
    if (before !== undefined && before.until > clock.monotonic()) return ok(before.found);
    const found = await discover(issuer, fetchJson);
    // A silent issuer's endpoint is where it was.
    if (!found.ok) return before === undefined ? found : ok(before.found);
    if (known.size >= maxIssuers) known.clear();
    known.set(issuer, { until: clock.monotonic() + keptMs, found: found.value });
    return found;
  };
}

async function discover(issuer: string, fetchJson: FetchJson): Promise<Result<TokenEndpoint, string>> {
  let why = 'no metadata';
  for (const place of wellKnownUrls(issuer)) {
    const document = await fetchJson(place);
    if (!document.ok) why = document.error;
    if (!document.ok || !isJsonObject(document.value)) continue;
    const metadata = document.value;
    const url = stringAt(metadata, 'token_endpoint');
    if (stringAt(metadata, 'issuer') !== issuer) return err(`${place} is of another issuer`);
    if (url === undefined || !isAsSafeAs(issuer, url)) return err(`${place} names no usable token endpoint`);
    const methods = metadata.token_endpoint_auth_methods_supported;
    const isBasic = !Array.isArray(methods) || methods.includes('client_secret_basic');
    return ok({ url, authMethod: isBasic ? 'client_secret_basic' : 'client_secret_post' });
  }
  return err(why);
}

function isAsSafeAs(issuer: string, url: string): boolean {
  const protocol = URL.parse(url)?.protocol;
  return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:'));
}
