import { metadataUrlFor } from '#auth/protected-resource.ts';
import { isStringArray, stringAt } from '#kernel/json.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
import { clockAhead } from './clock.ts';
import {
  type Finding,
  fail,
  type Known,
  ok,
  type Step,
  type StepDeps,
  unreachable,
  warn,
} from './finding.ts';
import { httpFault } from './http-fault.ts';
import { proxyLines, proxyOf } from './proxy-lines.ts';

/** What a client does with the gateway's URL before it knows anything else. */
export const challengeSteps: readonly Step[] = [{ name: 'challenge', run: challenge }];
export const metadataSteps: readonly Step[] = [
  { name: 'metadata', run: metadata },
  { name: 'resource', run: resource },
];

async function challenge(known: Known, { probe, now }: StepDeps): Promise<Finding> {
  const { url } = known;
  const answer = await probe('POST', url);
  if (!answer.ok)
    return unreachable(
      `${url} does not answer: ${answer.error}`,
      'start the gateway, or give the URL that agents use, with /mcp at the end',
    );
  const { status, header } = answer.value;
  if (status !== 401) return httpFault(answer.value, known, '401, which a request without a token gets');
  const proxy = proxyOf(header);
  const said = parseBearerChallenge(header('www-authenticate'));
  if (said?.resourceMetadata === undefined)
    return fail(
      'the 401 has no WWW-Authenticate that names resource_metadata',
      'let the proxy pass the header WWW-Authenticate',
      { proxyLines: proxyLines('challenge', proxy) },
    );
  const expected = metadataUrlFor(url, { search: '' });
  if (said.resourceMetadata !== expected)
    return fail(
      `the 401 sends clients to ${said.resourceMetadata}, not to ${expected}`,
      `set gateway.url to ${url}, or give clients the URL that it has`,
    );
  const scopes = said.scopes ?? [];
  const found = `401, and asks for ${scopes.length === 0 ? 'no scope' : scopes.join(' ')}`;
  const learned = { proxy, gatewayAheadSeconds: clockAhead(header, now()) };
  return scopes.length === 0
    ? warn(found, 'name plans or auth.challenge_scopes, so that clients know what to ask for', { learned })
    : ok(found, { learned: { ...learned, askedScopes: scopes } });
}

async function metadata({ url, options, proxy }: Known, { probe }: StepDeps): Promise<Finding> {
  const inserted = metadataUrlFor(url, { search: '' });
  const root = `${new URL(url).origin}/.well-known/oauth-protected-resource`;
  const [first, second] = await Promise.all([probe('GET', inserted), probe('GET', root)]);
  const lines = { proxyLines: proxyLines('well_known', proxy) };
  if (!first.ok)
    return unreachable(`${inserted} does not answer: ${first.error}`, 'look at the proxy', lines);
  const { status, json } = first.value;
  if (status !== 200 || json === undefined)
    return fail(
      `${inserted} was answered ${status}${json === undefined ? ', no JSON' : ''}`,
      'let the proxy pass /.well-known/oauth-protected-resource on to the gateway',
      lines,
    );
  const issuers = json.authorization_servers;
  if (!isStringArray(issuers) || issuers[0] === undefined)
    return fail('the metadata names no authorization server', 'name auth.issuers in cortex.yaml');
  const isKnown = options.issuers.length > 0;
  const learned = {
    options: {
      ...options,
      canonicalUrl: stringAt(json, 'resource') ?? url,
      ...(!isKnown && { issuers: issuers.map((issuer) => ({ url: issuer })) }),
    },
  };
  if (!second.ok || second.value.status !== 200)
    return warn(
      `names ${issuers.join(', ')}; ${root} is not served`,
      'pass that path on as well: older clients ask there',
      { learned, ...lines },
    );
  return ok(`names ${issuers.join(', ')}`, { learned });
}

function resource({ url, options }: Known): Finding {
  const named = options.canonicalUrl;
  if (named === url) return ok(`${url}, byte for byte`);
  const isSlash = named === `${url}/` || `${named}/` === url;
  return fail(
    `the gateway calls itself ${JSON.stringify(named)}, not ${JSON.stringify(url)}`,
    isSlash
      ? `a slash at the end counts: set gateway.url to ${url}, or give clients ${named}`
      : `clients refuse what differs by a character: set gateway.url to ${url}, or give clients ${named}`,
  );
}
