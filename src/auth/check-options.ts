import type { AuthOptions, IssuerOptions } from './options.ts';
import { isScopeToken } from './scope-token.ts';

const asymmetric = /^(?:(?:RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/;

/** Throws on options that would make the resource server unsafe or unable to start: a failed start, not a refusal. */
export function checkAuthOptions(options: AuthOptions): void {
  checkUrl('The canonical URL', options.canonicalUrl);
  const seen = new Set<string>();
  for (const issuer of options.issuers) {
    if (seen.has(issuer.url)) throw new Error(`The issuer ${issuer.url} is configured twice.`);
    seen.add(issuer.url);
    checkIssuer(issuer);
  }
  const named = [
    ...options.baselineScopes,
    ...(options.challengeScopes === 'plans' ? [] : options.challengeScopes),
    ...[...options.plans.values()].flat(),
    ...[...options.scopeImplies].flatMap(([scope, implied]) => [scope, ...implied]),
  ];
  for (const scope of named) {
    if (!isScopeToken(scope)) throw new Error(`${JSON.stringify(scope)} is not a scope.`);
  }
}

function checkIssuer(issuer: IssuerOptions): void {
  checkUrl('The issuer', issuer.url);
  if (issuer.jwksUri !== undefined && !URL.canParse(issuer.jwksUri)) {
    throw new Error(`The issuer ${issuer.url} has a jwks_uri that is not a URL.`);
  }
  if (issuer.audience?.length === 0) throw new Error(`The issuer ${issuer.url} has an empty audience.`);
  if (issuer.algorithms?.length === 0) throw new Error(`The issuer ${issuer.url} allows no algorithm.`);
  // A shared-secret algorithm would let anyone sign with the issuer's public key.
  const unsafe = issuer.algorithms?.find((algorithm) => !asymmetric.test(algorithm));
  if (unsafe !== undefined) throw new Error(`The issuer ${issuer.url} allows the algorithm ${unsafe}.`);
  const age = issuer.maxTokenAgeSeconds;
  if (age !== undefined && !(Number.isFinite(age) && age > 0)) {
    throw new Error(`The issuer ${issuer.url} has a maximum token age that is not a positive number.`);
  }
}

function checkUrl(what: string, url: string): void {
  if (/^https?:\/\/[^/?#\s"\\]+[^?#\s"\\]*$/i.test(url) && URL.canParse(url)) return;
  throw new Error(`${what} ${JSON.stringify(url)} is not an http(s) URL without query and fragment.`);
}
