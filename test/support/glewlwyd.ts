import { Database } from 'bun:sqlite';
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { freePort } from './free-port.ts';
import { createTempFolder } from './temp-folder.ts';

const schemaPath = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';

/** Undefined: it is not here, and why that matters is `glewlwydReason`. */
export const glewlwydPath: string | undefined =
  existsSync(schemaPath) && Bun.which('glewlwyd') !== null ? (Bun.which('glewlwyd') ?? undefined) : undefined;
export const glewlwydReason =
  glewlwydPath === undefined
    ? 'no glewlwyd (Debian: apt-get install --no-install-recommends glewlwyd)'
    : undefined;

export interface GlewlwydOptions {
  /** What tokens may be for (RFC 8707). */
  readonly resource: string;
  readonly scopes: readonly string[];
}

/** Glewlwyd, an authorization server that shares no code with us, with its own database and a port of its own. */
export interface Glewlwyd extends AsyncDisposable {
  readonly issuer: string;
  addUser(
    name: string,
    password: string,
    scopes: readonly string[],
    roles?: readonly string[],
  ): Promise<void>;
  addClient(client: Readonly<Record<string, unknown>>): Promise<void>;
  /** Signs a person in at an authorization request and consents; gives where the browser is sent back to. */
  signIn(authorizationUrl: string, name: string, password: string): Promise<URL>;
  /** A machine's own token. */
  clientToken(id: string, secret: string, scope: string): Promise<string>;
}

export async function startGlewlwyd(options: GlewlwydOptions): Promise<Glewlwyd> {
  await using parts = new AsyncDisposableStack();
  const folder = parts.use(await createTempFolder());
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const database = join(folder.path, 'glewlwyd.db');
  createDatabase(database);
  const config = join(folder.path, 'glewlwyd.conf');
  const pages = join(folder.path, 'pages');
  copyPages(pages);
  writeFileSync(config, configText(origin, port, database, pages));
  const child = Bun.spawn([glewlwydPath ?? 'glewlwyd', `--config-file=${config}`], {
    stdout: 'pipe',
    stderr: 'pipe',
  });
  parts.defer(async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await child.exited;
    clearTimeout(timer);
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) void drain(stream, (text) => (said += text));
  await untilItAnswers(`${origin}/config`, () => said);

  const admin = await cookieOf(origin, 'admin', 'password');
  const manage = (path: string, body: object) => send('POST', `${origin}/api${path}`, admin, body);
  for (const name of options.scopes) {
    const words = `May use ${name}`;
    await manage('/scope/', { name, display_name: words, description: words, password_required: true });
  }
  const issuer = `${origin}/api/oidc`;
  await manage('/mod/plugin/', pluginOf(issuer, options));
  const owned = parts.move();
  return {
    issuer,
    addUser: async (username, password, scope, role = []) =>
      void (await manage('/user/', {
        username,
        name: username,
        email: `${username}@example.com`,
        password,
        scope: ['openid', ...scope],
        enabled: true,
        role,
      })),
    addClient: async (client) =>
      void (await manage('/client/', { enabled: true, resource: [options.resource], ...client })),

    async signIn(authorizationUrl, name, password) {
      const first = await fetch(authorizationUrl, { redirect: 'manual' });
      const login = URL.parse(first.headers.get('location') ?? '');
      const again = login?.searchParams.get('callback_url');
      if (login?.pathname !== '/login.html' || again === null || again === undefined) {
        throw new Error(
          `no sign-in page: ${first.status} ${first.headers.get('location')} ${await first.text()}`,
        );
      }
      const cookie = await cookieOf(origin, name, password);
      const client = login.searchParams.get('client_id');
      const asked = login.searchParams.get('scope') ?? '';
      await send('PUT', `${origin}/api/auth/grant/${client}/`, cookie, { scope: asked });
      const back = await fetch(`${again}&g_continue`, { redirect: 'manual', headers: { cookie } });
      const location = URL.parse(back.headers.get('location') ?? '');
      if (location === null || location.origin === origin) {
        throw new Error(`not sent back: ${back.status} ${location} ${await back.text()}`);
      }
      return location;
    },

    async clientToken(id, secret, scope) {
      const answer = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource: options.resource }),
      });
      const body = await answer.json();
      if (typeof body.access_token !== 'string') throw new Error(JSON.stringify(body));
      return body.access_token;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The package's own schema, with one more property of users: a role. */
function createDatabase(path: string): void {
  const database = new Database(path, { create: true });
  database.exec(readFileSync(schemaPath, 'utf8'));
  const format = { role: { multiple: true, read: true, write: true } };
  database
    .query("UPDATE g_user_module_instance SET gumi_parameters = ? WHERE gumi_name = 'database'")
    .run(JSON.stringify({ 'use-glewlwyd-connection': true, 'data-format': format }));
  database.close();
}

/** Its pages. (The package has a folder where they look for a file.) */
function copyPages(folder: string): void {
  cpSync('/usr/share/glewlwyd/webapp', folder, {
    recursive: true,
    dereference: true,
    filter: (source) => basename(source) !== 'config.json',
  });
  copyFileSync('/etc/glewlwyd/config-2.7.json/config.json', join(folder, 'config.json'));
}

function configText(origin: string, port: number, database: string, pages: string): string {
  const modules = '/usr/lib/glewlwyd';
  return `
port=${port}
bind_address="127.0.0.1"
external_url="${origin}"
login_url="login.html"
api_prefix="api"
static_files_path="${pages}"
static_files_mime_types = (
  { extension = ".html"; mime_type = "text/html"; compress = 0; },
  { extension = ".js"; mime_type = "application/javascript"; compress = 0; },
  { extension = ".json"; mime_type = "application/json"; compress = 0; },
  { extension = ".css"; mime_type = "text/css"; compress = 0; }
);
log_mode="console"
log_level="WARNING"
cookie_domain="127.0.0.1"
cookie_secure=0
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${modules}/user"
client_module_path="${modules}/client"
user_auth_scheme_module_path="${modules}/scheme"
plugin_module_path="${modules}/plugin"
hash_algorithm="SHA512"
database = { type = "sqlite3"; path = "${database}"; };
`;
}

/** Code with PKCE, client credentials, refresh, registration and resource indicators; RS256. */
function pluginOf(issuer: string, { resource, scopes }: GlewlwydOptions) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    module: 'oidc',
    name: 'oidc',
    display_name: 'OpenID Connect',
    parameters: {
      iss: issuer,
      'jwt-type': 'rsa',
      'jwt-key-size': '256',
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: publicKey.export({ type: 'spki', format: 'pem' }),
      'access-token-duration': 3_600,
      'refresh-token-duration': 86_400,
      'code-duration': 600,
      'refresh-token-rolling': true,
      'allow-non-oidc': true,
      'auth-type-code-enabled': true,
      'auth-type-code-revoke-replayed': true,
      'auth-type-token-enabled': false,
      'auth-type-id-token-enabled': true,
      'auth-type-none-enabled': false,
      'auth-type-password-enabled': false,
      'auth-type-client-enabled': true,
      'auth-type-device-enabled': false,
      'auth-type-refresh-enabled': true,
      scope: [],
      claims: [],
      'additional-parameters': [
        { 'user-parameter': 'role', 'token-parameter': 'role', 'token-changed': true },
      ],
      'pkce-allowed': true,
      'pkce-required': true,
      'pkce-method-plain-allowed': false,
      'introspection-revocation-allowed': true,
      'introspection-revocation-allow-target-client': true,
      'introspection-revocation-auth-scope': [],
      'register-client-allowed': true,
      'register-client-auth-scope': [],
      'register-client-credentials-scope': [],
      'resource-allowed': true,
      'resource-scope': Object.fromEntries(['openid', ...scopes].map((scope) => [scope, [resource]])),
      'subject-type': 'public',
      'allowed-scope': ['openid', ...scopes],
    },
  };
}

async function cookieOf(origin: string, username: string, password: string): Promise<string> {
  const answer = await send('POST', `${origin}/api/auth/`, '', { username, password });
  return answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

async function send(method: string, url: string, cookie: string, body: object): Promise<Response> {
  const answer = await fetch(url, {
    method,
    headers: { cookie, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function untilItAnswers(url: string, said: () => string): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
    await Bun.sleep(50);
  }
  throw new Error(`glewlwyd does not answer: ${said()}`);
}

async function drain(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}
