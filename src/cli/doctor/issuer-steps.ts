import { isAsSafeAs, wellKnownUrls } from '#auth/discovery.ts';
import { isStringArray, stringAt } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { audienceAdvice } from './audience-advice.ts';
import { clockAhead } from './clock.ts';
import {
  type Finding,
  fail,
  type Known,
  ok,
  type Step,
  type StepDeps,
  skipped,
  unreachable,
  warn,
} from './finding.ts';
import { keys } from './key-step.ts';

/** What a client finds out about an authorization server, and what the gateway does. */
export const issuerSteps: readonly Step[] = [
  { name: 'discovery', run: discovery },
  { name: 'issuer', run: issuerEquality },
  { name: 'endpoints', run: endpoints },
  { name: 'keys', run: keys },
  { name: 'pkce', run: pkce },
  { name: 'registration', run: registration },
  { name: 'scopes', run: scopes },
  { name: 'audience', run: audience },
  { name: 'clock', run: clock },
];

async function discovery({ issuer }: Known, { probe, now }: StepDeps): Promise<Finding> {
  const tried: string[] = [];
  let hasAnswered = false;
  for (const url of wellKnownUrls(issuer.url)) {
    const answer = await probe('GET', url);
    if (!answer.ok) tried.push(`${url}: ${answer.error}`);
    if (!answer.ok) continue;
    hasAnswered = true;
    const { status, json, header } = answer.value;
    if (status !== 200 || json === undefined || stringAt(json, 'issuer') === undefined) {
      tried.push(`${url}: ${status}${status === 200 ? ', no metadata' : ''}`);
      continue;
    }
    return ok(url, { learned: { metadata: json, clockAheadSeconds: clockAhead(header, now()) } });
  }
  if (!hasAnswered)
    return unreachable(`${issuer.url} does not answer: ${tried[0] ?? ''}`, 'check the URL, DNS and firewall');
  const fix = `check the URL: its metadata should be at one of these`;
  return fail(`${issuer.url} publishes no metadata`, fix, { details: tried });
}

function issuerEquality({ issuer, metadata }: Known): Finding {
  const named = stringAt(metadata ?? {}, 'issuer') ?? '';
  if (named === issuer.url) return ok(`calls itself ${named}, byte for byte`);
  const isSlash = `${named}/` === issuer.url || named === `${issuer.url}/`;
  return fail(
    `it calls itself ${JSON.stringify(named)}, not ${JSON.stringify(issuer.url)}`,
    isSlash
      ? `a slash at the end counts: set auth.issuers url to ${named}`
      : `if that is your issuer, set auth.issuers url to ${named}; if it is not, you are looking at somebody else's`,
  );
}

function endpoints({ issuer, metadata = {} }: Known): Finding {
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const url = name === 'jwks_uri' ? (issuer.jwksUri ?? stringAt(metadata, name)) : stringAt(metadata, name);
    if (url === undefined) return fail(`the metadata names no ${name}`, 'have the issuer publish it');
    if (!isAsSafeAs(issuer.url, url))
      return fail(`${name} is ${url}, which is not https`, 'have the issuer publish https endpoints');
  }
  return ok('authorization, token and keys');
}

function pkce({ issuer, metadata = {} }: Known): Finding {
  const methods = metadata.code_challenge_methods_supported;
  if (isStringArray(methods) && methods.includes('S256')) return ok('S256');
  if (issuer.preset === 'entra' && methods === undefined)
    return warn(
      'the metadata does not say S256, though Entra knows it',
      'clients that insist on it need a proxy that adds code_challenge_methods_supported, or another issuer before Entra',
    );
  return fail(
    `the metadata does not offer PKCE with S256 (${methods === undefined ? 'it says nothing' : JSON.stringify(methods)})`,
    'turn PKCE with S256 on at the issuer: MCP clients refuse to go on without it',
  );
}

function registration({ metadata = {} }: Known): Finding {
  if (metadata.client_id_metadata_document_supported === true)
    return ok('clients introduce themselves by a document of their own');
  if (stringAt(metadata, 'registration_endpoint') === undefined)
    return warn(
      'clients cannot introduce themselves: no registration, no client documents',
      'register a client by hand and give its id to each agent; and one for the gateway: auth.sign_in.client_id',
    );
  const methods = metadata.token_endpoint_auth_methods_supported;
  if (isStringArray(methods) && !methods.includes('none'))
    return warn(
      `clients register, and are taken with ${methods.join(', ')} alone`,
      'clients that register without a secret may be refused at the token endpoint: allow the method none',
    );
  return ok('clients register themselves');
}

function scopes({ metadata = {}, askedScopes }: Known): Finding {
  const offered = metadata.scopes_supported;
  if (askedScopes.length === 0) return skipped('clients are told to ask for none');
  if (!isStringArray(offered)) return ok('it does not say which it has');
  const unknown = askedScopes.filter((scope) => !offered.includes(scope));
  if (unknown.length === 0) return ok(`knows ${askedScopes.join(' ')}`);
  return warn(
    `does not list ${unknown.join(' ')}`,
    'define them at the issuer, or name others in plans and auth.challenge_scopes: some refuse a whole request for one unknown scope',
  );
}

function audience({ issuer, options }: Known): Finding {
  const wanted = (issuer.audience ?? [options.canonicalUrl]).join(' or ');
  const advice = audienceAdvice(issuer);
  return advice === undefined
    ? ok(`tokens must be for ${wanted}; clients ask for it with resource=${options.canonicalUrl}`)
    : warn(`tokens must be for ${wanted}`, advice);
}

/** Without a gateway that was asked, this machine is taken for its. */
function clock({ clockAheadSeconds, gatewayAheadSeconds }: Known): Finding {
  if (clockAheadSeconds === undefined) return skipped('the issuer does not say what time it has');
  const ahead = clockAheadSeconds - (gatewayAheadSeconds ?? 0);
  const whose = gatewayAheadSeconds === undefined ? 'this machine’s clock' : 'the gateway’s clock';
  const fix =
    'set the clock that is wrong, and keep it so: timedatectl set-ntp true (or chrony), there and at the issuer';
  if (ahead > limits.clockToleranceSeconds)
    return fail(`${whose} is ${ahead} s behind the issuer’s: new tokens are refused as not yet valid`, fix);
  if (-ahead > limits.clockToleranceSeconds)
    return warn(`${whose} is ${-ahead} s ahead of the issuer’s: tokens end early`, fix);
  return ok(`${whose} and the issuer’s differ by ${Math.abs(ahead)} s`);
}
