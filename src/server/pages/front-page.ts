import { anyonesBridge, type Client, type ClientFile, type Entry } from '#clients/client.ts';
import { clients } from '#clients/clients.ts';
import { commandLine } from '#clients/command-line.ts';
import { isLocalAddress } from '#clients/local-address.ts';
import { snippet } from '#clients/snippet.ts';
import { type Html, html } from '#kernel/html.ts';
import { copyScript, copyScriptHash } from '#look/copy-script.ts';
import { frame } from '#look/frame.ts';
import { styleAnswer, styleSheetPath } from '#look/style-answer.ts';
import { messagePage } from './message-page.ts';
import { pageAnswer } from './page-answer.ts';

export interface FrontPage {
  /** Canonical: what clients are given. */
  readonly url: string;
  readonly name: string;
  readonly websiteUrl: string | undefined;
  /** An issuer has the same origin, as in a hosted demo: what is not the gateway’s there is the issuer’s. */
  readonly sharesOrigin: boolean;
}

/**
 * `GET /`, with its style sheet: what this is, and how each client is connected. Anybody may read it, so that it says what its own address
 * says and nothing else: no backend, no issuer, no version, no number.
 */
export function answerFrontPage(request: Request, page: FrontPage): Response {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } });
  if (new URL(request.url).pathname === styleSheetPath) return styleAnswer();
  return pageAnswer(new URL(page.url).origin, frontPage(page), { scriptHash: copyScriptHash() });
}

/** The refusal of a call, for a person who opened the address of the calls in a browser: status and challenge stay. */
export function explainRefusal(refusal: Response, { url, name }: FrontPage): Response {
  const { origin } = new URL(url);
  const text = [
    'It answers to agents alone. How yours is connected, and what it may do for you, is told here:',
  ];
  const next = { label: 'Connect your agent', href: '/' };
  const html = messagePage(name, { title: 'This address is for agents', text, next });
  const answer = pageAnswer(origin, html, { status: refusal.status });
  const challenge = refusal.headers.get('www-authenticate');
  if (challenge !== null) answer.headers.set('www-authenticate', challenge);
  return answer;
}

function frontPage(page: FrontPage): string {
  const entry = { name: 'cortex', url: page.url, bridge: anyonesBridge };
  return frame({
    title: 'Connect your agent',
    site: page.name,
    siteName: page.name,
    width: 'broad',
    script: copyScript,
    footer: html`${page.sharesOrigin ? html`Everything it does is done in your name.` : accounts}${website(page.websiteUrl)}`,
    content: html`<h1>Connect your agent</h1>
<p class="lead">This one address connects an AI agent to your applications. It acts as you: it sees and does there what you may, and nothing else.</p>
${copyable(page.url, 'the address', 'main')}
<fieldset class="clients"><legend>Which one do you use?</legend>
${clients.map((client, index) => clientPart(client, entry, index === 0))}
</fieldset>
<ol class="then">
<li><strong>Add the address.</strong> Once for each agent, as above.</li>
<li><strong>Sign in.</strong> A browser opens, and you allow the agent what it asks for.</li>
<li><strong>Ask for something.</strong> <q>What can you do through ${entry.name}?</q> is a good beginning.</li>
</ol>`,
  });
}

const accounts = html`<a href="/link">Your accounts</a>: what your agents may use in your name.`;

function website(url: string | undefined): Html | undefined {
  return url === undefined ? undefined : html` <a href="${url}" rel="noreferrer">More about this</a>`;
}

function clientPart(client: Client, entry: Entry, isFirst: boolean): Html {
  const { id, title, file, calledBy } = client;
  const commands = client.commands(entry).map(commandLine);
  const steps = client.steps?.(entry) ?? [];
  return html`<input type="radio" name="client" id="client-${id}"${isFirst ? html` checked` : undefined}><label for="client-${id}">${title}</label>
<section aria-labelledby="title-${id}"><h2 id="title-${id}">${title}</h2>
${client.installLink === undefined ? undefined : html`<p><a class="button" href="${client.installLink(entry)}">Add to ${title}</a></p>`}
${calledBy === 'the vendor' && isLocalAddress(entry.url) ? unreachable(title) : undefined}
${steps.length === 0 ? undefined : html`<ol>${steps.map((step) => html`<li>${step}</li>`)}</ol>`}
${commands.length === 0 ? undefined : html`<h3>In a terminal</h3>${copyable(commands.join('\n'), `the commands for ${title}`)}`}
${file === undefined ? undefined : filePart(file, entry, title, commands.length > 0 || (steps.length > 0 && !isLocalAddress(entry.url)))}
<p><strong>Then:</strong> ${client.signIn}</p>
</section>
`;
}

/** Out of the way where there is an easier one. */
function filePart(file: ClientFile, entry: Entry, title: string, isOther: boolean): Html {
  const part = html`${placesOf(file)}${copyable(snippet(file, entry), `the entry for ${title}`)}`;
  return isOther
    ? html`<details><summary>Or write it into its file</summary>${part}</details>`
    : html`<h3>In its file</h3>${part}`;
}

function placesOf({ user: { linux, darwin, win32 }, project }: ClientFile): Html {
  const isOne = linux === darwin && linux === win32;
  const rows = isOne
    ? [place('Everywhere', linux)]
    : [place('macOS', darwin), place('Windows', win32), place('Linux', linux)];
  return html`<dl class="places">${rows}${project === undefined ? undefined : place('Project', project)}</dl>`;
}

function place(where: string, path: string): Html {
  return html`<div><dt>${where}</dt><dd><code>${path}</code></dd></div>`;
}

/** The button is shown by the script, which alone can do what it promises. */
function copyable(text: string, what: string, kind = ''): Html {
  return html`<div class="copy ${kind}"><pre><code>${text}</code></pre><button class="button plain slight" type="button" aria-label="Copy ${what}" hidden>Copy</button></div>`;
}

function unreachable(title: string): Html {
  return html`<p class="note">${title} calls from its vendor’s servers, and this address is on one machine: it is not reached from there.</p>`;
}
