import { isBackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Config, LimitsConfig } from './config.ts';
import { options } from './options.ts';
import type { Reader } from './reader.ts';
import type { LinkingConfig, ServerConfig, ServerEndpoint } from './server-config.ts';

export const backendIdHint = 'Write a lower-case letter, then at most 23 of a-z, 0-9, _ and -.';

/** Reads `servers`. One without an address, or with two, or without a default scope, is a problem and left out. */
export function buildServers(reader: Reader, defaults: LimitsConfig): Config['servers'] {
  const servers = new Map<ServerConfig['id'], ServerConfig>();
  for (const id of reader.boundedKeys(['servers'], limits.maxBackends)) {
    if (!isBackendId(id)) {
      reader.fail(['servers', id], 'is not a server id', backendIdHint);
      continue;
    }
    if (id === 'sign-in' || id === 'command-line')
      reader.fail(['servers', id], 'is what a client of the gateway’s own is called');
    const at = [id];
    const endpoint = buildEndpoint(reader, id);
    const identity = reader.read(options.serverIdentity, at);
    const defaultScopes = reader.readRequired(options.serverDefaultScopes, at);
    const linking = buildLinking(reader, id);
    // Who names the account that lists are read with wants everybody to see them.
    const isPrivate = identity === 'linked' && linking.catalogSubject === undefined;
    const server = {
      id,
      identity,
      token: reader.read(options.serverToken, at),
      prefix: reader.readOr(options.serverPrefix, at, id),
      include: reader.read(options.serverInclude, at),
      exclude: reader.read(options.serverExclude, at),
      timeoutMs: reader.readOr(options.serverTimeout, at, defaults.callTimeoutMs),
      maxConnections: reader.readOr(options.serverMaxConnections, at, defaults.maxConnectionsPerBackend),
      maxResultBytes: reader.readOr(options.serverMaxResult, at, defaults.maxResultBytes),
      list: reader.readOr(options.serverList, at, isPrivate ? 'private' : 'shared'),
      uris: reader.read(options.serverUris, at),
      linking,
    };
    const tools = reader.mapOf(['servers', id, 'scopes', 'tools'], (glob) =>
      reader.read(options.serverToolScopes, [id, glob]),
    );
    if (endpoint === undefined || defaultScopes === undefined) continue;
    servers.set(id, { ...server, endpoint, scopes: { default: defaultScopes, tools } });
  }
  return servers;
}

function buildEndpoint(reader: Reader, id: string): ServerEndpoint | undefined {
  const at = [id];
  const url = reader.read(options.serverUrl, at);
  const command = reader.read(options.serverCommand, at);
  const allowHttp = reader.read(options.serverAllowHttp, at);
  const env = new Map<string, Secret>();
  for (const name of reader.boundedKeys(['servers', id, 'env'])) {
    const value = reader.read(options.serverEnv, [id, name]);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      reader.fail(['servers', id, 'env', name], 'is not the name of a variable');
    }
    if (value !== undefined) env.set(name, value);
  }
  const cwd = reader.read(options.serverCwd, at);
  const process = reader.read(options.serverProcess, at);

  const hasUrl = reader.isSet(['servers', id, 'url']);
  const hasCommand = reader.isSet(['servers', id, 'command']);
  if (hasUrl === hasCommand) {
    const message = hasUrl ? 'has both a url and a command' : 'has neither a url nor a command';
    reader.fail(['servers', id], message, 'Write exactly one of the two.');
    return undefined;
  }
  if (url !== undefined) return { kind: 'url', url, allowHttp };
  if (command !== undefined) return { kind: 'command', command, env, cwd, process };
  return undefined;
}

function buildLinking(reader: Reader, id: string): LinkingConfig {
  const at = [id];
  const clientId = reader.read(options.serverClientId, at);
  const clientSecret = reader.read(options.serverClientSecret, at);
  return {
    client: clientId === undefined ? undefined : { id: clientId, secret: clientSecret },
    issuer: reader.read(options.serverIssuer, at),
    oauthScopes: reader.read(options.serverOauthScopes, at),
    sendsResource: reader.read(options.serverResource, at),
    allowWithoutS256: reader.read(options.serverAllowWithoutS256, at),
    allowPrivate: reader.read(options.serverAllowPrivate, at),
    catalogSubject: reader.read(options.serverCatalogSubject, at),
  };
}
