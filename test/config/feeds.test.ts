import { describe, expect, test } from 'vitest';
import { attempt } from './load.ts';

const around = (feed: string) => `
plans: { pro: [mcp:notes:read] }
backends: { notes: { url: http://127.0.0.1:4820, technical_token: technical } }
auth:
  issuers:
    - url: https://auth.example.com
      ${feed}
`;
async function issuesOf(feed: string): Promise<readonly string[]> {
  const { issues } = await attempt({ yaml: around(`revocation_feed: ${feed}`) });
  return issues.map((line) => line.replace(/ cortex\.yaml:\d+: auth\.issuers\.0\.revocation_feed/, ' '));
}

describe('a revocation feed', () => {
  test('of each kind is read with what belongs to it', async () => {
    const { config, issues } = await attempt({
      yaml: around(
        'revocation_feed: { kind: push, token: a-secret, issuer: https://events.example.com, jwks_uri: https://events.example.com/keys, audience: [one, two], verify_url: https://events.example.com/verify, verify_token: another, stream_id: s1 }',
      ),
      mayExpandSecrets: true,
    });
    expect(issues).toEqual([]);
    const feed = config?.auth.issuers[0]?.revocationFeed;
    expect(feed).toMatchObject({
      kind: 'push',
      url: undefined,
      client: undefined,
      issuer: 'https://events.example.com',
      jwksUri: 'https://events.example.com/keys',
      audience: ['one', 'two'],
      verification: { url: 'https://events.example.com/verify', streamId: 's1' },
    });
    expect(feed?.token?.reveal()).toBe('a-secret');
    expect(feed?.verification?.token?.reveal()).toBe('another');
    expect(JSON.stringify(config)).not.toContain('a-secret');
  });

  test('is off unless configured, and so is back-channel logout', async () => {
    const { config } = await attempt({ yaml: around('preset: generic') });
    expect(config?.auth.issuers[0]).toMatchObject({ revocationFeed: undefined, backchannelLogout: [] });
    const { config: more } = await attempt({ yaml: around('backchannel_logout: [cortex]') });
    expect(more?.auth.issuers[0]?.backchannelLogout).toEqual(['cortex']);
  });

  test.each([
    ['{ url: https://a.example/events }', '.kind is missing. Write kind: stream, push or poll.'],
    ['{ kind: stream, token: t }', '.url is missing: kind: stream needs it'],
    ['{ kind: poll, token: t }', '.url is missing: kind: poll needs it'],
    [
      '{ kind: push, token: t, url: https://a.example }',
      '.url has no meaning with kind: push. With kind: push',
    ],
    ['{ kind: push, token: t, client_id: c }', '.client_id has no meaning with kind: push. Write token.'],
    ['{ kind: poll, url: https://a.example, token: t, client_id: c }', 'only one can be shown'],
    ['{ kind: poll, url: https://a.example, client_secret: c }', 'client_secret has no client_id beside it'],
    ['{ kind: poll, url: https://a.example, verify_url: https://a.example }', 'with kind: push alone'],
    [
      '{ kind: stream, url: http://a.example, token: t }',
      '.url must be https: revocations could be held back',
    ],
    ['{ kind: push, token: t, jwks_uri: http://a.example }', '.jwks_uri must be https: its keys'],
    ['{ kind: push, token: t, verify_url: http://a.example }', '.verify_url must be https: its token'],
    ['{ kind: push, token: t, issuer: https://b.example }', 'jwks_uri beside it. Name the keys'],
  ])('that makes no sense is refused: %s', async (feed, why) => {
    const issues = await issuesOf(feed);
    expect(issues.filter((line) => line.startsWith('error'))).toHaveLength(1);
    expect(issues.join('\n')).toContain(why);
  });

  test('that anybody may post to is warned of', async () => {
    expect((await issuesOf('{ kind: push }')).join()).toContain('anybody may post to /ssf');
  });

  test('that is pushed without a sign of life, beside introspection, is warned of', async () => {
    const introspection = 'introspection: { url: https://auth.example.com/introspect, client_id: cortex }';
    const warned = async (feed: string) =>
      (await attempt({ yaml: around(`revocation_feed: ${feed}\n      ${introspection}`) })).issues
        .join()
        .includes('so every token is asked about');
    expect(await warned('{ kind: push, token: t }')).toBe(true);
    expect(await warned('{ kind: push, token: t, verify_url: https://auth.example.com/verify }')).toBe(false);
    expect(await warned('{ kind: poll, token: t, url: https://auth.example.com/poll }')).toBe(false);
  });

  test('over plain http on this machine is nobody’s business', async () => {
    expect(await issuesOf('{ kind: stream, url: "http://127.0.0.1:3220/events" }')).toEqual([]);
  });
});
