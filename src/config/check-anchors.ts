import type { Sources } from './check-config.ts';
import type { Config } from './config.ts';
import { type Issue, problem } from './issue.ts';
import { isLoopbackUrl } from './network-kinds.ts';

/** What is sent along with anchors must not be readable on the way; the anchors themselves may be. */
export function checkAnchors({ audit }: Config, { originOf, isRefused }: Sources): readonly Issue[] {
  const { webhook, otlp } = audit.anchors;
  const places = [
    ['webhook', webhook?.url, 'token', webhook?.token !== undefined],
    ['otlp', otlp?.url, 'headers', (otlp?.headers.size ?? 0) > 0],
  ] as const;
  return places.flatMap(([place, url, extra, hasSecret]) => {
    const path = ['audit', 'anchors', place];
    const name = path.join('.');
    if (url === undefined) {
      const isAlone = originOf([...path, extra]) !== undefined && !isRefused([...path, 'url']);
      return isAlone
        ? [problem(originOf([...path, extra]), `${name}.${extra} is set, and ${name}.url is not`)]
        : [];
    }
    const isOpen = url.toLowerCase().startsWith('http:') && !isLoopbackUrl(url);
    if (!isOpen || !hasSecret) return [];
    const message = `${name}.url must be https: ${name}.${extra} would travel in the clear`;
    return [problem(originOf([...path, 'url']), message)];
  });
}
