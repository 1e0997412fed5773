import { privateUseScheme } from './private-use-uri.ts';

const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?([/?].*)?$/;

/** Whether the URI is plain http to this very machine (RFC 8252 section 7.3). */
export function isLoopbackUri(uri: string): boolean {
  return loopback.test(uri);
}

/**
 * Whether a client may register this redirect URI: https, http to loopback, or an application's own scheme, without
 * fragment, user name or control characters.
 */
export function isAcceptableRedirectUri(uri: string): boolean {
  if (uri.length > 2_000 || !/^[\x21-\x7e]+$/.test(uri) || /[#\\]/.test(uri) || !URL.canParse(uri))
    return false;
  const { protocol, username, password } = new URL(uri);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || isLoopbackUri(uri) || privateUseScheme(uri) !== undefined;
}

/** Whether only an application on the user's own device can be meant (RFC 8252 section 7). */
export function isNativeUri(uri: string): boolean {
  return isLoopbackUri(uri) || privateUseScheme(uri) !== undefined;
}

/** Where an answer goes, for people: a site by its host, a program on this computer, or the app that opens a scheme. */
export type RedirectTarget =
  | { readonly kind: 'site' | 'loopback'; readonly host: string }
  | { readonly kind: 'app'; readonly scheme: string };

export function redirectTarget(uri: string): RedirectTarget {
  const scheme = privateUseScheme(uri);
  if (scheme !== undefined) return { kind: 'app', scheme };
  return { kind: isLoopbackUri(uri) ? 'loopback' : 'site', host: new URL(uri).host };
}

/**
 * Whether a requested redirect URI is a registered one: byte for byte, except that the port of a loopback URI is
 * free, since native clients listen where the system lets them (RFC 8252 section 7.3).
 */
export function matchesRegistered(requested: string, registered: readonly string[]): boolean {
  if (registered.includes(requested)) return true;
  const wanted = withoutLoopbackPort(requested);
  return wanted !== undefined && registered.some((uri) => withoutLoopbackPort(uri) === wanted);
}

function withoutLoopbackPort(uri: string): string | undefined {
  const match = isAcceptableRedirectUri(uri) ? loopback.exec(uri) : null;
  return match === null ? undefined : `${match[1]} ${match[3] ?? '/'}`;
}

/** Appends response parameters to a redirect URI, keeping the query it was registered with. */
export function withParameters(
  uri: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return `${uri}${uri.includes('?') ? '&' : '?'}${query}`;
}
