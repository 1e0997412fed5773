import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createAuthorizationServer } from './authorization-server/create-authorization-server.ts';
import type { AuthorizationServerOptions } from './authorization-server/options.ts';

// Stands for any MCP server on the internet: it has accounts, an authorization server and consent of its own, and
// knows nothing of gateways. Built on the official SDK.

const scopes = { 'calendar:read': 'See your calendar', 'calendar:write': 'Add events to your calendar' };

interface CalendarEvent {
  readonly title: string;
  readonly day: string;
}

export interface CalendarServer {
  fetch(request: Request, peerAddress: string): Promise<Response>;
  close(): void;
}

/** One origin with the MCP endpoint at `/mcp` and everything else its authorization server's. */
export async function createCalendarServer(
  origin: string,
  options: Pick<
    AuthorizationServerOptions,
    'clock' | 'log' | 'mailer' | 'databasePath' | 'keyFile' | 'fetchDocument' | 'allowsLoopbackDocuments'
  >,
): Promise<CalendarServer> {
  const resource = `${origin}/mcp`;
  const metadataUrl = `${origin}/.well-known/oauth-protected-resource/mcp`;
  const authorizationServer = await createAuthorizationServer({
    ...options,
    issuer: origin,
    resources: [resource],
    scopes,
    plans: { everyone: Object.keys(scopes) },
    clients: [],
  });
  const keys = createRemoteJWKSet(new URL(`${origin}/.well-known/jwks.json`));
  const calendars = new Map<string, CalendarEvent[]>();

  /** Everybody starts with one event; a demo keeps the calendars of the last thousand accounts. */
  function calendarOf(account: string): CalendarEvent[] {
    const known = calendars.get(account);
    if (known !== undefined) return known;
    const [oldest] = calendars.keys();
    if (calendars.size >= 1_000 && oldest !== undefined) calendars.delete(oldest);
    const made = [{ title: 'Lunch with Ada', day: '2026-12-01' }];
    calendars.set(account, made);
    return made;
  }

  const handler = createMcpHandler(({ authInfo }) => {
    const account = String(authInfo?.extra?.account);
    const server = new McpServer({ name: 'calendar', version: '1.0.0' });
    server.registerTool(
      'list_events',
      {
        description: 'List the events of your calendar.',
        inputSchema: fromJsonSchema({ type: 'object', properties: {} }),
        annotations: { readOnlyHint: true },
      },
      () => said(calendarOf(account)),
    );
    server.registerTool(
      'add_event',
      {
        description: 'Add an event to your calendar. The day is written as YYYY-MM-DD.',
        inputSchema: fromJsonSchema<CalendarEvent>({
          type: 'object',
          properties: {
            title: { type: 'string', minLength: 1, maxLength: 200 },
            day: { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
          },
          required: ['title', 'day'],
        }),
      },
      ({ title, day }) => {
        const calendar = calendarOf(account);
        if (calendar.length >= 200) return { ...said('Your calendar is full.'), isError: true };
        calendar.push({ title, day });
        return said(calendar);
      },
    );
    return server;
  });

  async function answer(request: Request): Promise<Response> {
    const token = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? '';
    const checks = { issuer: origin, audience: resource, requiredClaims: ['sub', 'exp'] };
    const verified = await jwtVerify<{ scope?: unknown }>(token, keys, checks).catch(() => undefined);
    const { sub, scope, exp, client_id: clientId } = verified?.payload ?? {};
    if (sub === undefined || exp === undefined) {
      const challenge = `Bearer resource_metadata="${metadataUrl}", scope="${Object.keys(scopes).join(' ')}"`;
      return new Response('Sign in first.', { status: 401, headers: { 'www-authenticate': challenge } });
    }
    const authInfo = {
      token,
      clientId: String(clientId),
      scopes: String(scope).split(' '),
      expiresAt: exp,
      extra: { account: sub },
    };
    return handler.fetch(request, { authInfo });
  }

  return {
    async fetch(request, peerAddress) {
      const { pathname } = new URL(request.url);
      if (pathname === '/mcp') return answer(request);
      if (pathname !== new URL(metadataUrl).pathname) return authorizationServer.fetch(request, peerAddress);
      return Response.json({
        resource,
        authorization_servers: [origin],
        scopes_supported: Object.keys(scopes),
        bearer_methods_supported: ['header'],
      });
    },
    close: () => authorizationServer.close(),
  };
}

function said(value: unknown) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { content: [{ type: 'text' as const, text }] };
}
