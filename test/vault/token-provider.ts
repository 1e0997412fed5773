import { err, ok } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import type { RefreshGrant } from '#vault/refresh.ts';
import { grantOf } from './vault-kit.ts';

/** A token endpoint on a free port that rotates refresh tokens, and ends a grant whose old one comes again. */
export function startTokenProvider(options: { readonly lifetimeSeconds?: number } = {}) {
  const state = { refreshes: 0, isDown: false, isSlow: false, live: 'refresh-1', isEnded: false };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const form = new URLSearchParams(await request.text());
      state.refreshes += 1;
      await Bun.sleep(state.isSlow ? 10_000 : 30);
      if (state.isDown) return new Response('down', { status: 503 });
      if (form.get('refresh_token') !== state.live) state.isEnded = true;
      if (state.isEnded) return Response.json({ error: 'invalid_grant' }, { status: 400 });
      state.live = `refresh-${state.refreshes + 1}`;
      return Response.json({
        access_token: `access-${state.refreshes + 1}`,
        refresh_token: state.live,
        expires_in: options.lifetimeSeconds ?? 3_600,
      });
    },
  });
  return { state, url: server.url.href, stop: () => server.stop(true) };
}

/** Refreshes at that endpoint, as the linking engine does. */
export function refreshAt(url: string, now: () => number): RefreshGrant {
  return async (_server, grant) => {
    const refreshToken = grant.refreshToken?.reveal() ?? '';
    const answer = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    });
    if (answer.status === 400) return err('invalid_grant');
    if (!answer.ok) return err('unavailable');
    const body = Object(await answer.json());
    return ok(
      grantOf({
        ...grant,
        accessToken: new Secret(String(body.access_token)),
        refreshToken: new Secret(String(body.refresh_token)),
        expiresAt: now() + Number(body.expires_in) * 1_000,
      }),
    );
  };
}
