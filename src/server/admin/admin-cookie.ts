import { isLoopbackHost } from '#outbound/loopback.ts';

/** Named after the port on this machine: cookies know no ports, and gateways must not take each other's. */
function nameOf(host: string): string {
  return isLocal(host) ? `cortex-admin-${new URL(`http://${host}`).port}` : '__Host-cortex-admin';
}

/** Browsers keep a `Secure` cookie of plain http on loopback or not, each as it likes. */
function isLocal(host: string): boolean {
  return isLoopbackHost(host.replace(/:\d+$/, ''));
}

/** The id of the session that a request shows. `host` is a `Host` that was let in. */
export function readAdminCookie(request: Request, host: string): string | undefined {
  for (const pair of request.headers.get('cookie')?.split(';') ?? []) {
    const [key, value] = pair.trim().split('=');
    if (key === nameOf(host) && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return undefined;
}

/** The `Set-Cookie` of a session; without an id it takes it back. */
export function adminCookie(host: string, id: string | undefined, maxAgeSeconds: number): string {
  const secure = isLocal(host) ? '' : '; Secure';
  return `${nameOf(host)}=${id ?? ''}; Max-Age=${maxAgeSeconds}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}
