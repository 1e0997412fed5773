import type { Config } from './config.ts';
import { type Issue, type Origin, problem, warning } from './issue.ts';
import type { SettingPath } from './settings.ts';

/** What identity modes and the gateway's own pages need of the issuers. */
export function checkIdentities(
  { auth, backends }: Config,
  { originOf }: { readonly originOf: (path: SettingPath) => Origin | undefined },
): readonly Issue[] {
  const issues: Issue[] = [];
  const without = auth.issuers.filter(({ exchange }) => exchange === undefined);
  for (const [id, { identity }] of backends) {
    if (identity !== 'exchange' || without.length === 0) continue;
    const origin = originOf(['backends', id, 'identity']);
    const what = `backends.${id}.identity: exchange`;
    const hint = 'Write exchange: { client_id: ..., client_secret: ... } with the issuer.';
    if (without.length === auth.issuers.length) {
      issues.push(problem(origin, `${what} needs an issuer that exchanges tokens`, hint));
      continue;
    }
    const names = without.map(({ url }) => url).join(', ');
    issues.push(warning(origin, `${what} refuses every user of ${names}`, hint));
  }
  for (const [index, { exchange }] of auth.issuers.entries()) {
    const path = ['auth', 'issuers', String(index), 'exchange', 'client_secret'];
    const secret = originOf(path);
    if (exchange === undefined && secret !== undefined) {
      issues.push(problem(secret, `${path.join('.')} has no client_id beside it`));
    }
  }
  const signIn = originOf(['auth', 'sign_in', 'issuer']);
  if (signIn !== undefined && !auth.issuers.some(({ url }) => url === auth.signIn.issuer)) {
    const message = `auth.sign_in.issuer: ${auth.signIn.issuer} is not one of auth.issuers`;
    issues.push(problem(signIn, message, 'Write it byte for byte as there.'));
  }
  const secret = originOf(['auth', 'sign_in', 'client_secret']);
  if (secret !== undefined && auth.signIn.client === undefined) {
    issues.push(problem(secret, 'auth.sign_in.client_secret has no client_id beside it'));
  }
  return issues;
}
