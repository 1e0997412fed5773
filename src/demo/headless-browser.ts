/** A page as a browser without scripts sees it. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
}

export interface HeadlessBrowser {
  /** Opens a URL and follows redirects within its origin; stops before any other. */
  open(url: string): Promise<Visit>;
  /** Posts the page's form whose action is `action`, its own fields and `values` on top. */
  submit(page: Page, action: string, values: Readonly<Record<string, string>>): Promise<Visit>;
}

/** Where a visit ended: on a page, or at a redirect that leaves the origin and was not followed. */
export type Visit =
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'left'; readonly location: string };

export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** One origin's pages, forms, cookies and redirects, the way a browser handles them; scripts and styles are ignored. */
export function createHeadlessBrowser(fetchPage: FetchFunction = fetch): HeadlessBrowser {
  const cookies = new Map<string, string>();

  async function visit(url: string, init: RequestInit, redirectsLeft = 10): Promise<Visit> {
    const headers = new Headers(init.headers);
    if (cookies.size > 0)
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const answer = await fetchPage(url, { ...init, headers, redirect: 'manual' });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? [];
      if (name !== undefined && value !== undefined) cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null)
      return { kind: 'page', page: { url, status: answer.status, html: await answer.text() } };
    await answer.body?.cancel();
    const target = URL.parse(location, url);
    if (target === null || target.origin !== new URL(url).origin) return { kind: 'left', location };
    if (redirectsLeft === 0) throw new Error(`Too many redirects, the last to ${target.pathname}.`);
    return visit(target.href, {}, redirectsLeft - 1);
  }

  return {
    open: (url) => visit(url, {}),
    submit(page, action, values) {
      const fields = formFields(page, action);
      for (const [name, value] of Object.entries(values)) fields.set(name, value);
      const target = new URL(action, page.url);
      return visit(target.href, { method: 'POST', body: fields, headers: { origin: target.origin } });
    },
  };
}

/** The inputs of one form of the page, as they would be sent untouched. */
function formFields(page: Page, action: string): URLSearchParams {
  const form = [...page.html.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].find(([text]) =>
    attribute(text, 'action')?.startsWith(action),
  );
  if (form === undefined)
    throw new Error(`${page.url} (${page.status}) holds no form for ${action}: ${titleOf(page)}`);
  const fields = new URLSearchParams();
  for (const [input] of form[0].matchAll(/<input\b[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name !== undefined) fields.set(name, attribute(input, 'value') ?? '');
  }
  return fields;
}

function titleOf(page: Page): string {
  return /<h1>([\s\S]*?)<\/h1>/.exec(page.html)?.[1] ?? 'no heading';
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
