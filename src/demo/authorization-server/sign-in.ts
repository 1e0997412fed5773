import { pageAnswer, redirectAnswer } from './answers.ts';
import type { Call, Endpoint, Parts } from './endpoint.ts';
import { checkMailPage, confirmPage, messagePage, signInPage } from './pages/pages.ts';
import { readForm } from './parameters.ts';
import { parseEmail } from './users.ts';

/**
 * Signing in by a link in an e-mail: no password to lose, and signing up is the same act. The link is bound to the
 * browser that asked for it and used up by POST alone, since mail scanners and previews fetch links.
 */
export function createSignInEndpoints(parts: Parts): {
  readonly form: Endpoint;
  readonly send: Endpoint;
  readonly openLink: Endpoint;
  readonly confirm: Endpoint;
} {
  const { issuer, browsers, links, users, mailer, log, limits } = parts;

  async function ownForm({ request }: Call) {
    const form = await readForm(request, limits.maxBodyBytes);
    const browser = browsers.recognise(request);
    if (!form.ok || !browsers.isOwnForm(request, browser, form.value.get('csrf'))) return undefined;
    return { form: form.value, browser };
  }

  const notOurs = () =>
    pageAnswer(
      messagePage(
        'That did not come from our page',
        'Cookies may be switched off. Please try again from the start.',
        { label: 'To the sign-in', path: '/sign-in' },
      ),
      {
        status: 403,
      },
    );
  const deadLink = () =>
    pageAnswer(
      messagePage(
        'This link does not work here',
        'It may have been used, be older than 15 minutes, or belong to another browser: open it where you asked for it, or ask for a new one.',
        { label: 'Ask for a new link', path: '/sign-in' },
      ),
      { status: 400 },
    );

  return {
    form({ request, url }) {
      const browser = browsers.recognise(request);
      const next = localPath(url.searchParams.get('next'));
      return pageAnswer(signInPage({ next, csrf: browser.csrf, problem: undefined, email: '' }), {
        setCookie: browser.setCookie,
      });
    },

    async send(call) {
      const own = await ownForm(call);
      if (own === undefined) return notOurs();
      const { form, browser } = own;
      const next = localPath(form.get('next'));
      const email = parseEmail(form.get('email'));
      if (email === undefined) {
        const problem = 'Please enter an e-mail address, such as ada@example.com.';
        return pageAnswer(signInPage({ next, csrf: browser.csrf, problem, email: form.get('email') ?? '' }), {
          status: 400,
        });
      }
      // People leave the hidden field empty; a program that fills it is told the same and sent nothing.
      if (form.has('website')) return pageAnswer(checkMailPage(email, next));
      const retryAfterSeconds = links.takeAllowance(email, call.address);
      if (retryAfterSeconds !== undefined) {
        const text = 'Too many sign-in links were asked for. Please try again later.';
        return pageAnswer(messagePage('Slow down a little', text), { status: 429, retryAfterSeconds });
      }
      const token = links.issue(email, browser.cookieHash, next);
      const link = `${issuer}/sign-in/link?token=${token}`;
      try {
        await mailer.send({
          to: email,
          subject: 'Your sign-in link',
          text: mailText(link, limits.linkSeconds),
          link,
        });
      } catch (error) {
        log.error('demo.mail_failed', { cause: causeOf(error) });
        return pageAnswer(messagePage('The mail could not be sent', 'Please try again in a few minutes.'), {
          status: 503,
        });
      }
      return pageAnswer(checkMailPage(email, next));
    },

    openLink({ request, url }) {
      const token = url.searchParams.get('token') ?? '';
      const browser = browsers.recognise(request);
      const link = links.peek(token, browser.cookieHash);
      return link === undefined
        ? deadLink()
        : pageAnswer(confirmPage({ token, email: link.email, csrf: browser.csrf }));
    },

    async confirm(call) {
      const own = await ownForm(call);
      if (own === undefined) return notOurs();
      const link = links.consume(own.form.get('token') ?? '', own.browser.cookieHash);
      if (link === undefined) return deadLink();
      const user = users.findOrCreate(link.email);
      if (user === undefined)
        return pageAnswer(messagePage('Sign-up is closed', 'This demo has taken as many people as it can.'), {
          status: 503,
        });
      return redirectAnswer(link.next, browsers.signIn(user.sub));
    },
  };
}

/** Only our own two places may follow a sign-in: anything else would make the form an open redirect. */
function localPath(next: string | null | undefined): string {
  return next?.startsWith('/authorize?') ? next : '/account';
}

/** The code of a mail error: its message may hold the address. */
function causeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function mailText(link: string, linkSeconds: number): string {
  return `Open this link to sign in, in the browser where you asked for it:

${link}

It works once, for ${Math.round(linkSeconds / 60)} minutes. If you did not ask for it, ignore this mail: nothing happens.
`;
}
