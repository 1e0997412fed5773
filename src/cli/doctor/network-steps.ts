import { isIP } from 'node:net';
import { err, type Result } from '#kernel/result.ts';
import type { TlsSight } from '#outbound/inspect-tls.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { count } from '../output.ts';
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

/** Before a client can say anything: the name, and the certificate. */
export const networkSteps: readonly Step[] = [
  { name: 'dns', run: dns },
  { name: 'tls', run: tls },
];

const tlsTimeoutMs = 10_000;
const dayMs = 86_400_000;
const soonDays = 14;

async function dns({ url }: Known, { resolve }: StepDeps): Promise<Finding> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (isLoopbackHost(host)) return ok(`${host}, this machine: clients elsewhere cannot come`);
  const found = isIP(host) === 0 ? await resolve(host) : { ok: true as const, value: [host] };
  if (!found.ok)
    return unreachable(
      `${host} has no address (${found.error})`,
      `add an A or AAAA record for ${host} at your DNS, or correct the URL`,
    );
  const addresses = found.value.join(', ');
  const inner = found.value.filter((address) => !isPublicAddress(address));
  const learned = { addresses: found.value };
  if (inner.length === 0) return ok(`${host}: ${addresses}`, { learned });
  return warn(
    `${host}: ${addresses}; ${inner.join(', ')} is not public`,
    'clients on your network get there; claude.ai, ChatGPT and others that connect from their vendor’s servers need a public address',
    { learned },
  );
}

async function tls({ url, addresses }: Known, { inspectTls, now }: StepDeps): Promise<Finding> {
  const { protocol, hostname, port } = new URL(url);
  if (protocol === 'http:')
    return isLoopbackHost(hostname)
      ? skipped('plain http, on this machine')
      : fail(
          'plain http: everybody on the way reads the tokens, and clients refuse to sign in',
          `put a proxy with a certificate before the gateway, and set gateway.url to https://${hostname}/mcp`,
        );
  const target = { name: hostname, port: Number(port === '' ? 443 : port), timeoutMs: tlsTimeoutMs };
  const hosts = addresses.length > 1 ? addresses : [hostname.replace(/^\[|\]$/g, '')];
  const all = await Promise.all(hosts.map((host) => inspectTls({ ...target, host })));
  const seen = all.find(({ ok: isMade }) => isMade) ?? all[0] ?? err('no address');
  if (!seen.ok) return noHandshake(hostname, port === '' ? '443' : port, seen.error);
  const { problem, validUntil, issuer } = seen.value;
  if (problem !== undefined) return refused(hostname, problem, seen.value);
  const dead = hosts.filter((_host, at) => isDead(all[at]));
  if (dead.length > 0)
    return warn(
      `${hosts.length - dead.length} of ${hosts.length} addresses answer: nobody is at ${dead.join(', ')}`,
      `have the proxy listen there, or take that record away: clients that try it first hang, or fail`,
    );
  const days = validUntil === undefined ? undefined : Math.floor((validUntil - now()) / dayMs);
  const found = `${seen.value.protocol}, certificate of ${issuer ?? 'an unnamed authority'}`;
  if (days === undefined || days >= soonDays)
    return ok(`${found}${days === undefined ? '' : `, good for ${count(days, 'day')}`}`);
  return warn(`${found} ends in ${count(days, 'day')}`, 'see that whatever renews it still runs');
}

/** Without a route there, the address may be good for others: a machine without IPv6 cannot tell. */
function isDead(seen: Result<TlsSight, string> | undefined): boolean {
  return seen?.ok === false && !['ENETUNREACH', 'EHOSTUNREACH', 'EADDRNOTAVAIL'].includes(seen.error);
}

function noHandshake(host: string, port: string, code: string): Finding {
  if (code === 'ECONNREFUSED')
    return unreachable(
      `nobody listens at ${host} port ${port}`,
      'start the proxy that has the certificate, or open the port',
    );
  if (code === 'timeout' || code === 'ETIMEDOUT' || code === 'EHOSTUNREACH')
    return unreachable(
      `no answer from ${host} port ${port} (${code})`,
      'open the port in the firewall or security group',
    );
  return fail(
    `${host} port ${port} speaks no TLS that can be used (${code})`,
    'have the proxy serve TLS 1.2 or 1.3 there, with a certificate for this name',
  );
}

function refused(host: string, problem: string, { validUntil, names, issuer }: TlsSight): Finding {
  switch (problem) {
    case 'CERT_HAS_EXPIRED':
      return fail(
        `the certificate ended ${validUntil === undefined ? '' : new Date(validUntil).toISOString().slice(0, 10)}`,
        'renew it, and see why that did not happen by itself',
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return fail(
        `the certificate is for ${names.join(', ').replaceAll('DNS:', '') || 'nobody'}, not for ${host}`,
        `have the proxy use a certificate for ${host}`,
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return fail(
        'the certificate is signed by nobody that clients know',
        'get one from a public authority (Let’s Encrypt); or have each machine trust yours: NODE_EXTRA_CA_CERTS',
      );
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return fail(
        `the way from the certificate to an authority that clients know is missing: ${issuer ?? 'its issuer'} is not among them`,
        'serve the whole chain (fullchain.pem, not cert.pem); an authority of your own must be trusted on each machine: NODE_EXTRA_CA_CERTS',
      );
    default:
      return fail(`clients refuse the certificate (${problem})`, 'have the proxy use a good one');
  }
}
