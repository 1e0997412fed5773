import type { Config, IssuerConfig } from './config.ts';
import type { FeedConfig } from './feed-config.ts';
import { type Issue, type Origin, problem, warning } from './issue.ts';
import { isLoopbackUrl, parseUrl } from './network-kinds.ts';
import type { SettingPath } from './settings.ts';

type OriginOf = (path: SettingPath) => Origin | undefined;

/** What makes sense value by value, and not together, about the feeds of the issuers. */
export function checkFeeds(
  { auth, gateway }: Config,
  { originOf }: { readonly originOf: OriginOf },
): readonly Issue[] {
  return auth.issuers.flatMap((issuer, index) => {
    const path = ['auth', 'issuers', String(index), 'revocation_feed'];
    const { revocationFeed: feed } = issuer;
    if (feed === undefined) return withoutKind(path, originOf);
    return [
      ...checkPlace(feed, path, originOf),
      ...checkTransport(feed, path, originOf, gateway.allowHttp),
      ...checkSender(feed, issuer, path, originOf),
      ...checkLife(feed, issuer, path, originOf),
    ];
  });
}

function withoutKind(path: SettingPath, originOf: OriginOf): readonly Issue[] {
  const origin = originOf(path);
  if (origin === undefined || originOf([...path, 'kind']) !== undefined) return [];
  return [problem(origin, `${path.join('.')}.kind is missing`, 'Write kind: stream, push or poll.')];
}

/** Each kind has what it needs, and nothing that would be ignored. */
function checkPlace(feed: FeedConfig, path: SettingPath, originOf: OriginOf): readonly Issue[] {
  const at = (name: string) => originOf([...path, name]) ?? originOf(path);
  const issues: Issue[] = [];
  const name = path.join('.');
  const isPush = feed.kind === 'push';
  if (!isPush && feed.url === undefined) {
    issues.push(problem(at('kind'), `${name}.url is missing: kind: ${feed.kind} needs it`));
  }
  if (isPush && feed.url !== undefined) {
    const hint = 'With kind: push the issuer posts to /ssf.';
    issues.push(problem(at('url'), `${name}.url has no meaning with kind: push`, hint));
  }
  if (isPush && feed.client !== undefined) {
    issues.push(problem(at('client_id'), `${name}.client_id has no meaning with kind: push`, 'Write token.'));
  }
  if (isPush && feed.token === undefined) {
    const hint = 'Events are signed all the same; a token keeps strangers from having signatures checked.';
    issues.push(warning(at('kind'), `${name}.token is not set: anybody may post to /ssf`, hint));
  }
  if (!isPush && feed.token !== undefined && feed.client !== undefined) {
    issues.push(problem(at('token'), `${name} has a token and a client_id: only one can be shown`));
  }
  if (feed.client === undefined && originOf([...path, 'client_secret']) !== undefined) {
    issues.push(problem(at('client_secret'), `${name}.client_secret has no client_id beside it`));
  }
  if (!isPush && feed.verification !== undefined) {
    issues.push(problem(at('verify_url'), `${name}.verify_url has a meaning with kind: push alone`));
  }
  return issues;
}

function checkTransport(
  feed: FeedConfig,
  path: SettingPath,
  originOf: OriginOf,
  allowHttp: boolean,
): readonly Issue[] {
  const urls = [
    ['url', feed.url, 'revocations could be held back on the way'],
    ['jwks_uri', feed.jwksUri, 'its keys could be replaced on the way'],
    ['verify_url', feed.verification?.url, 'its token would travel in the clear'],
  ] as const;
  return urls.flatMap(([key, url, why]) => {
    if (url === undefined || allowHttp || parseUrl(url)?.protocol !== 'http:' || isLoopbackUrl(url))
      return [];
    const name = [...path, key];
    const hint = 'On a private network gateway.allow_http: true allows it.';
    return [problem(originOf(name), `${name.join('.')} must be https: ${why}`, hint)];
  });
}

/** Another sender signs with other keys: without `jwks_uri` they would be looked for at the wrong place. */
function checkSender(
  feed: FeedConfig,
  issuer: IssuerConfig,
  path: SettingPath,
  originOf: OriginOf,
): readonly Issue[] {
  if (feed.issuer === undefined || feed.issuer === issuer.url || feed.jwksUri !== undefined) return [];
  const message = `${path.join('.')}.issuer needs ${path.join('.')}.jwks_uri beside it`;
  return [problem(originOf([...path, 'issuer']), message, 'Name the keys that the events are signed with.')];
}

/** A feed that nobody can tell from a dead one makes the gateway ask about every token. */
function checkLife(
  feed: FeedConfig,
  { introspection }: IssuerConfig,
  path: SettingPath,
  originOf: OriginOf,
): readonly Issue[] {
  const isUnheard = feed.kind === 'push' && feed.verification === undefined;
  if (!isUnheard || introspection?.mode !== 'fallback') return [];
  const message = `${path.join('.')}.verify_url is not set: the silence of this feed means nothing, so every token is asked about`;
  return [warning(originOf([...path, 'kind']), message, 'Name the verification endpoint of the stream.')];
}
