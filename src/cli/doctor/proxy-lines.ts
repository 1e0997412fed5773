/** The proxies whose configuration is spelled out. */
export type ProxyName = 'nginx' | 'Caddy' | 'Traefik' | 'Apache' | 'HAProxy';

/** What to write into the configuration of a proxy. */
export interface ProxyLines {
  readonly proxy: ProxyName;
  readonly lines: readonly string[];
}

/** What a proxy can do wrong. */
export type ProxyTopic =
  | 'host'
  | 'authorization'
  | 'challenge'
  | 'well_known'
  | 'cors'
  | 'mcp_headers'
  | 'session_header'
  | 'buffering'
  | 'idle'
  | 'upstream';

const upstream = '127.0.0.1:3213';

/** docs/operations.md has a whole configuration for each; these are the lines that matter. */
const table: Readonly<Record<ProxyTopic, Readonly<Partial<Record<ProxyName, readonly string[]>>>>> = {
  host: {
    nginx: ['proxy_set_header Host $host;'],
    Caddy: ['header_up Host {host}'],
    Traefik: ['passHostHeader: true   # of the service'],
    Apache: ['ProxyPreserveHost On'],
  },
  authorization: {
    nginx: [
      'proxy_set_header Authorization $http_authorization;',
      '# and no auth_basic, auth_request or proxy_set_header Authorization "" in this location',
    ],
    Caddy: ['# take away: header_up -Authorization, basic_auth, forward_auth'],
    Traefik: ['# take away: the middlewares basicAuth and forwardAuth of this router'],
    Apache: ['# take away: AuthType, Require valid-user, RequestHeader unset Authorization'],
  },
  challenge: {
    nginx: [
      '# take away: proxy_hide_header WWW-Authenticate;  error_page 401 ...;',
      'proxy_intercept_errors off;',
    ],
    Caddy: ['# take away: header_down -WWW-Authenticate, handle_response and handle_errors for 401'],
    Traefik: ['# take away: the middleware errors for 401, customResponseHeaders: {WWW-Authenticate: ""}'],
    Apache: ['# take away: Header unset WWW-Authenticate, ErrorDocument 401, ProxyErrorOverride On'],
  },
  well_known: {
    nginx: [`location /.well-known/oauth-protected-resource { proxy_pass http://${upstream}; ... }`],
    Caddy: [`reverse_proxy /.well-known/oauth-protected-resource* ${upstream}`],
    Traefik: [
      'rule: Host(`mcp.example.com`) && (PathPrefix(`/mcp`) || PathPrefix(`/.well-known/oauth-protected-resource`))',
    ],
    Apache: [
      `ProxyPass /.well-known/oauth-protected-resource http://${upstream}/.well-known/oauth-protected-resource`,
    ],
  },
  cors: {
    nginx: [
      '# take away: add_header Access-Control-..., proxy_hide_header Access-Control-...,',
      '#            if ($request_method = OPTIONS) { return ... }, limit_except',
    ],
    Caddy: ['# take away: header Access-Control-..., and @options respond'],
    Traefik: ['# take away: accessControl... of the middleware headers'],
    Apache: ['# take away: Header set Access-Control-..., and RewriteRule for OPTIONS'],
  },
  mcp_headers: {
    nginx: [
      '# take away: proxy_set_header Mcp-... "", proxy_pass_request_headers off',
      'proxy_pass_request_headers on;',
    ],
    Caddy: ['# take away: header_up -Mcp-*, header_up -MCP-Protocol-Version'],
    Traefik: ['# take away: customRequestHeaders that empty Mcp-...'],
    Apache: ['# take away: RequestHeader unset Mcp-...'],
  },
  session_header: {
    nginx: ['# take away: proxy_hide_header Mcp-Session-Id;'],
    Caddy: ['# take away: header_down -Mcp-Session-Id'],
    Traefik: ['# take away: customResponseHeaders: {Mcp-Session-Id: ""}'],
    Apache: ['# take away: Header unset Mcp-Session-Id'],
  },
  buffering: {
    nginx: [
      'proxy_buffering off;',
      'proxy_http_version 1.1;',
      'proxy_set_header Connection "";',
      '# take away: proxy_ignore_headers X-Accel-Buffering;  gzip_types text/event-stream;',
    ],
    Caddy: ['flush_interval -1   # in reverse_proxy', '# take away: request_buffers, response_buffers'],
    Traefik: ['# take away: the middleware buffering, and compress for text/event-stream'],
    Apache: ['ProxyPass /mcp http://127.0.0.1:3213/mcp flushpackets=on'],
  },
  idle: {
    nginx: ['proxy_read_timeout 1h;', 'send_timeout 1h;'],
    Caddy: ['# take away: timeouts { write ... } of servers, read_timeout of transport http'],
    Traefik: ['respondingTimeouts: {writeTimeout: 0}   # transport of the entry point'],
    Apache: ['ProxyTimeout 3600'],
    HAProxy: ['timeout client 1h', 'timeout server 1h'],
  },
  upstream: {
    nginx: [`proxy_pass http://${upstream};   # the address in gateway.listen`],
    Caddy: [`reverse_proxy ${upstream}   # the address in gateway.listen`],
    Traefik: [`servers: [{url: "http://${upstream}"}]   # the address in gateway.listen`],
    Apache: [`ProxyPass / http://${upstream}/   # the address in gateway.listen`],
    HAProxy: [`server cortex ${upstream}   # the address in gateway.listen`],
  },
};

/** For the proxy that is there; for each of the common ones where none gave itself away. */
export function proxyLines(topic: ProxyTopic, proxy: ProxyName | undefined): readonly ProxyLines[] {
  const known = table[topic];
  const wanted: readonly ProxyName[] =
    proxy !== undefined && known[proxy] !== undefined ? [proxy] : ['nginx', 'Caddy', 'Traefik'];
  return wanted.flatMap((name) => {
    const lines = known[name];
    return lines === undefined ? [] : [{ proxy: name, lines }];
  });
}

/** What an answer says it came through. */
export function proxyOf(header: (name: string) => string | undefined): ProxyName | undefined {
  const said = `${header('server') ?? ''} ${header('via') ?? ''}`.toLowerCase();
  if (/nginx|openresty/.test(said)) return 'nginx';
  if (said.includes('caddy')) return 'Caddy';
  if (said.includes('apache')) return 'Apache';
  return said.includes('haproxy') ? 'HAProxy' : undefined;
}
