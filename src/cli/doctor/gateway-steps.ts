import { metadataUrlFor } from '#auth/protected-resource.ts';
import { isStringArray, stringAt } from '#kernel/json.ts';
import { parseBearerChallenge } from '#wire/bearer-challenge.ts';
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

/** What a client does with the gateway's URL before it knows anything else. */
export const gatewaySteps: readonly Step[] = [
  { name: 'challenge', run: challenge },
  { name: 'metadata', run: metadata },
  { name: 'resource', run: resource },
];

async function challenge({ url }: Known, { probe }: StepDeps): Promise<Finding> {
  const answer = await probe('POST', url);
  if (!answer.ok)
    return unreachable(
      `${url} does not answer: ${answer.error}`,
      'start the gateway, or give the URL that agents use, with /mcp at the end',
    );
  const { status, header } = answer.value;
  if (status !== 401)
    return fail(
      `a request without a token was answered ${status}, not 401`,
      status === 404 || status === 405
        ? 'give the URL that agents use, with /mcp at the end'
        : 'let the proxy pass the request on as it is',
    );
  const said = parseBearerChallenge(header('www-authenticate'));
  if (said?.resourceMetadata === undefined)
    return fail(
      'the 401 has no WWW-Authenticate that names resource_metadata',
      'let the proxy pass the header WWW-Authenticate',
    );
  const expected = metadataUrlFor(url, { search: '' });
  if (said.resourceMetadata !== expected)
    return fail(
      `the 401 sends clients to ${said.resourceMetadata}, not to ${expected}`,
      `set gateway.url to ${url}, or give clients the URL that it has`,
    );
  const scopes = said.scopes ?? [];
  const found = `401, and asks for ${scopes.length === 0 ? 'no scope' : scopes.join(' ')}`;
  return scopes.length === 0
    ? warn(found, 'name plans or auth.challenge_scopes, so that clients know what to ask for')
    : ok(found, { learned: { askedScopes: scopes } });
}

async function metadata({ url, options }: Known, { probe }: StepDeps): Promise<Finding> {
  const inserted = metadataUrlFor(url, { search: '' });
  const root = `${new URL(url).origin}/.well-known/oauth-protected-resource`;
  const [first, second] = await Promise.all([probe('GET', inserted), probe('GET', root)]);
  if (!first.ok) return unreachable(`${inserted} does not answer: ${first.error}`, 'look at the proxy');
  const { status, json } = first.value;
  if (status !== 200 || json === undefined)
    return fail(
      `${inserted} was answered ${status}${json === undefined ? ', no JSON' : ''}`,
      'let the proxy pass /.well-known/oauth-protected-resource on to the gateway',
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
      { learned },
    );
  return ok(`names ${issuers.join(', ')}`, { learned });
}

function resource({ url, options }: Known): Finding {
  if (options.canonicalUrl === url) return ok(`${url}, byte for byte`);
  return fail(
    `the gateway calls itself ${JSON.stringify(options.canonicalUrl)}, not ${JSON.stringify(url)}`,
    'clients refuse what differs by a character: give them that URL, or set gateway.url to this one',
  );
}
