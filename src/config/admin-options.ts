import { listOf } from './kind.ts';
import { oneOf } from './kinds.ts';
import { hostName, listenAddress } from './network-kinds.ts';
import { existing, option, optional } from './option.ts';
import { secret } from './special-kinds.ts';

/** The rows of `admin`. */
export const adminOptions = {
  adminListen: optional(
    'admin.listen',
    listenAddress,
    'Where operators are served, apart from everybody else: `HOST:PORT`, of loopback or a private network.',
    { fallbackText: 'there is no such listener' },
  ),
  adminHosts: option(
    'admin.hosts',
    listOf(hostName),
    [],
    'Names, beside loopback’s and that of `admin.listen`, by which operators reach it.',
  ),
  adminToken: optional(
    'admin.tokens.<name>.token',
    secret,
    'The bearer token of whoever the audit calls by this name: 32 characters or more.',
    { existing: [existing('CORTEX_ADMIN_SECRET', 'admin')] },
  ),
  adminRole: option(
    'admin.tokens.<name>.role',
    oneOf(['read', 'operate', 'reveal']),
    'read',
    'What it may do: look; act as well; see people’s names as well.',
  ),
};
