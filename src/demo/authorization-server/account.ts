import { pageAnswer, redirectAnswer } from './answers.ts';
import type { Browser } from './browser.ts';
import type { Call, Endpoint, Parts } from './endpoint.ts';
import { accountPage, messagePage } from './pages/pages.ts';
import { type Parameters, readForm } from './parameters.ts';
import type { User } from './users.ts';

/** What people can do for themselves: see and change their plan, disconnect applications, sign out. */
export function createAccountEndpoints(parts: Parts): {
  readonly show: Endpoint;
  readonly changePlan: Endpoint;
  readonly disconnect: Endpoint;
  readonly signOut: Endpoint;
} {
  const { browsers, scopes, users, grants, revocations, limits } = parts;

  /** A form of the account page, from its own signed-in browser. */
  function act(change: (form: Parameters, user: User, browser: Browser) => Promise<void> | void): Endpoint {
    return async ({ request }: Call) => {
      const form = await readForm(request, limits.maxBodyBytes);
      const browser = browsers.recognise(request);
      if (
        !form.ok ||
        browser.user === undefined ||
        !browsers.isOwnForm(request, browser, form.value.get('csrf'))
      )
        return pageAnswer(
          messagePage('That did not come from our page', 'Please open your account page and try again.', {
            label: 'To your account',
            path: '/account',
          }),
          { status: 403 },
        );
      await change(form.value, browser.user, browser);
      return redirectAnswer('/account');
    };
  }

  return {
    show({ request }) {
      const browser = browsers.recognise(request);
      if (browser.user === undefined) return redirectAnswer('/sign-in');
      const { email, plan, sub } = browser.user;
      const html = accountPage({
        email,
        plan,
        plans: scopes.plans.map((name) => ({
          name,
          abilities: scopes.allowed(scopes.known, name).map(scopes.describe),
        })),
        connections: grants
          .ofUser(sub)
          .map(({ id, clientName, createdAt }) => ({ id, clientName, createdAt })),
        csrf: browser.csrf,
      });
      return pageAnswer(html);
    },
    changePlan: act((form, user) => {
      const plan = form.get('plan');
      if (plan !== undefined && scopes.plans.includes(plan)) users.setPlan(user.sub, plan);
    }),
    disconnect: act(async (form, user) => {
      const grant = grants.find(form.get('grant') ?? '');
      if (grant !== undefined && grant.sub === user.sub) await revocations.grant(grant.id, user.sub);
    }),
    signOut: act((_form, _user, browser) => browsers.signOut(browser)),
  };
}
