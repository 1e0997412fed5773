import { expect, test } from 'vitest';
import { html } from '#kernel/html.ts';
import { createLivePages } from '#server/admin/console/live.ts';
import { createMovingClock } from '../../support/moving-clock.ts';

/** Beats come when the test says so. */
function world() {
  const clock = createMovingClock();
  const beats: { readonly delayMs: number; readonly task: () => void }[] = [];
  const pages = createLivePages((delayMs, task) => {
    beats.push({ delayMs, task });
    return () => {};
  }, clock);
  return { clock, beats, pages };
}
const part = (text: string) => [{ id: 'one', isLive: true as const, content: () => html`${text}` }];

test('drawing live pages takes a fifth of the time at most: the next beat waits four times as long as this one took', async () => {
  const { clock, beats, pages } = world();
  pages.open([], async () => {
    clock.advance(3_000);
    return part('slow');
  });
  expect(beats.map(({ delayMs }) => delayMs)).toEqual([1_000]);
  beats[0]?.task();
  await expect.poll(() => beats.length).toBe(2);
  expect(beats[1]?.delayMs).toBeGreaterThanOrEqual(12_000);
  pages.close();
});

test('no beat comes once nobody looks, and a page that cannot be drawn is ended alone', async () => {
  const { beats, pages } = world();
  const broken = pages.open([], () => Promise.reject(new Error('no')));
  const whole = pages.open([], async () => part('here'));
  beats[0]?.task();
  const text = async (response: Response | undefined) => {
    const reader = response?.body?.getReader();
    await reader?.read();
    const next = await reader?.read();
    return next?.value === undefined ? undefined : new TextDecoder().decode(next.value);
  };
  expect(await text(broken)).toBeUndefined();
  expect(await text(whole)).toContain('"html":"here"');
  await expect.poll(() => beats.length).toBe(2);
  pages.close();
  beats[1]?.task();
  await new Promise((resolve) => setImmediate(resolve));
  expect(beats).toHaveLength(2);
});
