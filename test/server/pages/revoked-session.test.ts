import { expect, test } from 'vitest';
import type { Deniable } from '#auth/denied.ts';
import { openPeople, pageOf } from './people.ts';

test('a sign-in on the pages is over when the token that began it is denied, and one of somebody else is not', async () => {
  const asked: Deniable[] = [];
  let deniedSubject: string | undefined;
  await using people = await openPeople({
    denyList: {
      denies(token) {
        asked.push(token);
        return token.subject === deniedSubject ? 'subject' : undefined;
      },
    },
  });
  const ada = await people.signedIn('ada@example.com');
  const bob = await people.signedIn('bob@example.com');
  const page = async (who: typeof ada) => pageOf(await who.browser.open(`${people.origin}/link`)).html;
  expect(await page(ada)).toContain('Signed in as ada@example.com');
  const seen = asked.findLast(({ subject }) => subject === ada.owner.subject);
  // All that a revocation can name came along with the sign-in.
  expect(seen).toMatchObject({
    issuer: ada.owner.issuer,
    sessionId: expect.stringMatching(/./),
    clientId: expect.stringMatching(/./),
    tokenId: expect.stringMatching(/./),
  });
  expect(seen?.issuedAt).toBeGreaterThan(1_700_000_000);

  deniedSubject = ada.owner.subject;
  expect(await page(ada)).toContain('Sign in first');
  expect(await page(bob)).toContain('Signed in as bob@example.com');
});
