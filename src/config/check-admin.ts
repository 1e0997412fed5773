import { isLoopbackHost } from '#outbound/loopback.ts';
import type { Config } from './config.ts';
import { type Issue, type Origin, problem, warning } from './issue.ts';
import type { SettingPath } from './settings.ts';

const minTokenLength = 32;
const makeOne = 'Make one with: openssl rand -base64 32.';

/** What makes sense value by value, and not together, about `admin`. */
export function checkAdmin(
  { admin, gateway }: Config,
  { originOf }: { readonly originOf: (path: SettingPath) => Origin | undefined },
): readonly Issue[] {
  const { listen, tokens } = admin;
  const at = originOf(['admin', 'listen']);
  const all = originOf(['admin', 'tokens']);
  if (listen === undefined) {
    const unused = all ?? originOf(['admin', 'hosts']);
    const hint = 'Write admin.listen: 127.0.0.1:3214.';
    return unused === undefined ? [] : [warning(unused, 'admin has no effect without admin.listen', hint)];
  }
  const issues: Issue[] = [];
  if (all === undefined) {
    const hint = 'Write admin.tokens: { <name>: { token: ..., role: read } }.';
    issues.push(problem(at, 'admin.listen lets nobody in: there are no admin.tokens', hint));
  }
  if (listen.port !== 0 && Bun.deepEquals(listen, gateway.listen)) {
    issues.push(problem(at, 'admin.listen is also gateway.listen: operators are served apart'));
  }
  if (!isLoopbackHost(listen.host)) {
    const where =
      listen.host === '0.0.0.0' || listen.host === '::' ? 'every network of this machine' : 'a network';
    const message = `admin.listen is open to ${where}, and what operators say and see travels in the clear`;
    issues.push(warning(at, message, 'Listen on 127.0.0.1, and put a proxy with TLS in front.'));
  }
  const owners = new Map<string, string>();
  for (const [name, { token }] of tokens) {
    const text = token.reveal();
    const origin = originOf(['admin', 'tokens', name, 'token']);
    const path = `admin.tokens.${name}.token`;
    if (text.length < minTokenLength) {
      issues.push(problem(origin, `${path} is shorter than ${minTokenLength} characters`, makeOne));
    }
    const owner = owners.get(text);
    if (owner !== undefined) {
      issues.push(problem(origin, `${path} is also that of ${owner}: who acts could not be told`, makeOne));
    }
    owners.set(text, name);
  }
  return issues;
}
