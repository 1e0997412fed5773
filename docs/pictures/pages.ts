import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { signUpForTokens } from '#demo/sign-up.ts';
import { isJsonObject, stringAt } from '#kernel/json.ts';

const root = join(import.meta.dirname, '..', '..');

/** Where the pictures go: by default those that the documents show, beside this file. */
const [, , folder = import.meta.dirname] = process.argv;
const isForDocuments = process.argv[2] === undefined;

const looks = [
  { name: 'desktop-light', width: 1180, height: 800, colorScheme: 'light' },
  { name: 'desktop-dark', width: 1180, height: 800, colorScheme: 'dark' },
  { name: 'phone-light', width: 390, height: 844, colorScheme: 'light' },
  { name: 'phone-dark', width: 390, height: 844, colorScheme: 'dark' },
] as const;

/** Those that the documents show: `<page>-<look>`. */
const shown = new Set([
  'front-desktop-light',
  'front-desktop-dark',
  'front-phone-light',
  'consent-desktop-light',
  'accounts-desktop-light',
]);

/** Starts the demo, goes through its pages as a person does, and takes a picture of each. */
async function takePictures(): Promise<void> {
  await mkdir(folder, { recursive: true });
  const demo = Bun.spawn(
    [
      process.execPath,
      join(root, 'bin', 'cortex.ts'),
      'demo',
      '--ephemeral',
      '--json',
      '--listen',
      '127.0.0.1:4713',
    ],
    { cwd: root, stdout: 'pipe', stderr: 'pipe' },
  );
  const said = collect(demo.stderr);
  const { url, issuer } = await addressesOf(demo.stdout);
  const executablePath = Bun.which('chromium') ?? Bun.which('chromium-browser') ?? Bun.which('google-chrome');
  if (executablePath === null) throw new Error('no chromium in PATH (Debian: apt-get install chromium)');
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--hide-scrollbars'],
  });
  try {
    for (const look of looks) await walk(browser, look, { url, issuer, said });
  } finally {
    await browser.close();
    demo.kill('SIGTERM');
    await demo.exited;
  }
}

async function walk(
  browser: Browser,
  look: (typeof looks)[number],
  at: { readonly url: string; readonly issuer: string; readonly said: () => string },
): Promise<void> {
  const { name, width, height, colorScheme } = look;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    deviceScaleFactor: 1,
  });
  const page = await context.newPage();
  const picture = async (of: string) => {
    const file = `${of}-${name}`;
    await page.waitForLoadState();
    if (!isForDocuments || shown.has(file)) await capture(page, join(folder, `${file}.webp`));
  };
  const origin = new URL(at.url).origin;
  await page.goto(origin);
  await picture('front');
  for (const id of ['cursor', 'claude-desktop', 'claude-ai']) {
    await page.click(`label[for=client-${id}]`);
    await picture(`front-${id}`);
  }
  await page.goto(await authorizeAddress(at.issuer, at.url));
  await picture('sign-in');
  const email = { light: 'ada', dark: 'grace' }[colorScheme].concat(width < 500 ? '.m' : '', '@example.com');
  await page.fill('[name=email]', email);
  await page.click('text=Mail me a link');
  await picture('check-mail');
  await page.goto(await linkIn(at.said, email));
  await picture('confirm');
  await page.click('button:has-text("Sign in")');
  await picture('consent');
  await page.goto(`${at.issuer}/account`);
  await picture('account');
  await page.goto(`${origin}/link`);
  await picture('link-sign-in');
  await page.click('a:has-text("Sign in")');
  await allow(page, origin);
  await picture('accounts-empty');
  await page.click('button:has-text("Link")');
  await page.waitForURL((url) => url.origin !== origin);
  await page.fill('[name=email]', email);
  const before = at.said().length;
  await page.click('text=Mail me a link');
  await page.goto(await linkIn(() => at.said().slice(before), email));
  await page.click('button:has-text("Sign in")');
  await page.click('button:has-text("Allow")');
  await page.waitForURL(`${origin}/link/calendar/callback**`);
  await picture('link-confirm');
  await page.click('button:has-text("Link it")');
  await picture('linked');
  await useAsAgent(at, email);
  await page.goto(`${origin}/link`);
  await picture('accounts');
  await page.goto(`${origin}/link/nothing/at/all`);
  await picture('not-found');
  await context.close();
}

/** The whole page as WebP, which is a fifth of the size. */
async function capture(page: Page, file: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const options = { format: 'webp', quality: 92, captureBeyondViewport: true } as const;
  const { cssContentSize } = await session.send('Page.getLayoutMetrics');
  const clip = { ...cssContentSize, scale: 2 };
  const { data } = await session.send('Page.captureScreenshot', { ...options, clip });
  await Bun.write(file, Buffer.from(data, 'base64'));
}

/** An agent of the same person does a few things, one of them above the plan. */
async function useAsAgent(at: Parameters<typeof walk>[2], email: string): Promise<void> {
  const before = at.said().length;
  const { accessToken } = await signUpForTokens({
    issuer: at.issuer,
    resource: at.url,
    email,
    readLink: (of) => linkIn(() => at.said().slice(before), of),
    clientName: 'Claude Code',
  });
  for (const [name, args] of [
    ['notes_write_note', { title: 'Tea', text: 'at five' }],
    ['notes_list_notes', {}],
    ['billing_export_invoices', {}],
    ['whoami', {}],
  ] as const) {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    await fetch(at.url, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${accessToken}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': name,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name, arguments: args, _meta },
      }),
    });
  }
}

async function allow(page: Page, origin: string): Promise<void> {
  await page.click('button:has-text("Allow")');
  await page.waitForURL(`${origin}/**`);
}

/** Where a client that was just registered sends people. */
async function authorizeAddress(issuer: string, resource: string): Promise<string> {
  const redirectUri = 'http://127.0.0.1:8976/callback';
  const answer = await fetch(`${issuer}/register`, {
    method: 'POST',
    body: JSON.stringify({
      client_name: 'Claude Code',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  });
  const registered: unknown = await answer.json();
  const clientId = isJsonObject(registered) ? stringAt(registered, 'client_id') : undefined;
  const query = new URLSearchParams({
    client_id: clientId ?? '',
    redirect_uri: redirectUri,
    response_type: 'code',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
    state: 'a-state',
    resource,
  });
  return `${issuer}/authorize?${query}`;
}

/** The sign-in link, which the demo prints. */
async function linkIn(said: () => string, email: string): Promise<string> {
  for (let tries = 0; tries < 200; tries += 1) {
    const line = said()
      .split('\n')
      .find((text) => text.includes(email) && text.includes('http'));
    const link = line === undefined ? undefined : /https?:\/\/\S+/.exec(line)?.[0];
    if (link !== undefined) return link;
    await Bun.sleep(50);
  }
  throw new Error(`no link for ${email} in: ${said()}`);
}

function collect(stream: ReadableStream<Uint8Array>): () => string {
  let text = '';
  const decoder = new TextDecoder();
  void (async () => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  })();
  return () => text;
}

async function addressesOf(stream: ReadableStream<Uint8Array>) {
  const said = collect(stream);
  for (let tries = 0; tries < 400; tries += 1) {
    const parsed: unknown = said().trimEnd().endsWith('}') ? JSON.parse(said()) : undefined;
    const [url, issuer] = isJsonObject(parsed) ? [stringAt(parsed, 'url'), stringAt(parsed, 'issuer')] : [];
    if (url !== undefined && issuer !== undefined) return { url, issuer };
    await Bun.sleep(50);
  }
  throw new Error('the demo did not start');
}

await takePictures();
