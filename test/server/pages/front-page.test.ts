import { describe, expect, test } from 'vitest';
import { anyonesBridge } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';
import { answerFrontPage, explainRefusal, type FrontPage } from '#server/pages/front-page.ts';
import { runGateway } from '../../support/running-gateway.ts';

const face: FrontPage = {
  url: 'https://mcp.example.com/mcp',
  name: 'Acme',
  websiteUrl: undefined,
  sharesOrigin: false,
};
const get = (page: FrontPage = face, method = 'GET') =>
  answerFrontPage(new Request('https://mcp.example.com/', { method }), page);

describe('the front page', () => {
  test('has for each client what the table says: commands, file, link, what to do then', async () => {
    const page = plain(await get().text());
    const entry = { name: 'cortex', url: face.url, bridge: anyonesBridge };
    for (const client of clients) {
      expect(page).toContain(`client-${client.id}`);
      expect(page).toContain(client.signIn);
      for (const words of client.commands(entry)) expect(page).toContain(commandLine(words));
      if (client.file !== undefined) expect(page).toContain(client.file.user.darwin);
      if (client.installLink !== undefined) expect(page).toContain(client.installLink(entry));
    }
  });

  test('stands behind a policy that lets in its own script and nothing else', async () => {
    const answer = get();
    expect(answer.status).toBe(200);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'self'; /);
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(await answer.text()) ?? [];
    const hash = new Bun.CryptoHasher('sha256').update(script).digest('base64');
    expect(policy).toContain(`'sha256-${hash}'`);
    for (const [name, value] of [
      ['x-frame-options', 'DENY'],
      ['x-content-type-options', 'nosniff'],
      ['cache-control', 'no-store'],
      ['x-robots-tag', 'noindex, nofollow'],
    ])
      expect(answer.headers.get(name ?? '')).toBe(value);
  });

  test('shows the configured name and website as text, whatever they hold', async () => {
    const name = '<img src=x onerror=alert(1)>"\'&';
    const page = await get({ ...face, name, websiteUrl: 'https://acme.example/?a="><script>' }).text();
    expect(page).not.toContain('<img');
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).toContain('href="https://acme.example/?a=&quot;&gt;&lt;script&gt;"');
  });

  test('leads to the accounts, unless the issuer has that path at the same origin', async () => {
    expect(await get().text()).toContain('href="/link"');
    expect(await get({ ...face, sharesOrigin: true }).text()).not.toContain('href="/link"');
  });

  test('has its style sheet beside it', async () => {
    const sheet = answerFrontPage(new Request('https://mcp.example.com/style.css'), face);
    expect(sheet.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(await get().text()).toContain('<link rel="stylesheet" href="/style.css">');
  });

  test('is read, and nothing else', async () => {
    expect(get(face, 'HEAD').status).toBe(200);
    const posted = get(face, 'POST');
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('says where a vendor’s servers do not reach the gateway', async () => {
    const note = 'it is not reached from there';
    expect(await get().text()).not.toContain(note);
    expect(await get({ ...face, url: 'http://127.0.0.1:3213/mcp' }).text()).toContain(note);
  });

  test('tells a person who opens the address of the calls where to go, and keeps the challenge', async () => {
    const challenge =
      'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"';
    const refusal = new Response('{}', { status: 401, headers: { 'www-authenticate': challenge } });
    const answer = explainRefusal(refusal, face);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, challenge]);
    expect(await answer.text()).toContain('href="/"');
    expect(answer.headers.get('content-security-policy')).not.toContain('script-src');
  });
});

describe('the front page of a whole gateway', () => {
  test('attack: it names no backend, issuer, scope, plan, version or number, and is the same for everybody', async () => {
    await using running = await runGateway({ backends: { ledgers: { tools: [] } } });
    const page = await running.fetch('/');
    expect(page.status).toBe(200);
    const text = await page.text();
    const { issuer } = running;
    for (const secret of [issuer.url, 'mcp:', 'ledgers', '0.1.0', 'Bearer', '2026-07-28']) {
      expect(text, secret).not.toContain(secret);
    }
    const token = await issuer.mint({ sub: 'ada', scope: 'mcp:notes:read' });
    const headers = { authorization: `Bearer ${token}`, cookie: 'a=b' };
    expect(await (await running.fetch('/', { headers })).text()).toBe(text);
  });

  test('a browser at the address of the calls gets a page, an agent what agents get', async () => {
    await using running = await runGateway();
    const opened = await running.fetch('/mcp', { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([opened.status, opened.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8']);
    expect(opened.headers.get('www-authenticate')).toMatch(/^Bearer .*resource_metadata=/);
    const asked = await running.fetch('/mcp', { headers: { accept: 'text/event-stream' } });
    expect([asked.status, asked.headers.get('content-type')]).toEqual([401, expect.stringContaining('json')]);
    expect(asked.headers.get('www-authenticate')).toBe(opened.headers.get('www-authenticate'));
  });
});

function plain(html: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return html.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_whole, name: string) => entities[name] ?? '');
}
