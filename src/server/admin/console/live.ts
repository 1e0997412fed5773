import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { sseHeaders, sseKeepAlive, sseMessage, sseOpening } from '#wire/sse.ts';
import type { PagePart } from './console-page.ts';

/** The parts of a page as they are now; undefined: whoever looks may look no more. */
export type LookAgain = () => Promise<readonly PagePart[] | undefined>;

/** The pages that stay up to date by themselves: one beat for all of them. */
export interface LivePages {
  /** Undefined: too many are open. */
  open(shown: readonly PagePart[], look: LookAgain): Response | undefined;
  close(): void;
}

const encoder = new TextEncoder();
/** A browser that reads nothing is cut off once this much waits for it. */
const maxQueuedBytes = 1024 * 1024;
const beatsOfSilence = 20;

interface Page {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly look: LookAgain;
  readonly sent: Map<string, string>;
  quiet: number;
}

export function createLivePages(schedule: Schedule, clock: Clock): LivePages {
  const pages = new Set<Page>();
  let cancelBeat: (() => void) | undefined;

  function write(page: Page, text: string): void {
    page.quiet = 0;
    if ((page.controller.desiredSize ?? 0) < -maxQueuedBytes) {
      pages.delete(page);
      page.controller.error(new Error('the browser does not read'));
      return;
    }
    page.controller.enqueue(encoder.encode(text));
  }

  function end(page: Page): void {
    if (pages.delete(page)) page.controller.close();
  }

  async function update(page: Page): Promise<void> {
    const parts = await page.look();
    if (!pages.has(page)) return;
    if (parts === undefined) {
      write(page, sseMessage(JSON.stringify({ ended: true })));
      end(page);
      return;
    }
    for (const [id, text] of liveTexts(parts)) {
      if (page.sent.get(id) === text || !pages.has(page)) continue;
      page.sent.set(id, text);
      write(page, sseMessage(JSON.stringify({ id, html: text })));
    }
    page.quiet += 1;
    if (page.quiet > beatsOfSilence && pages.has(page)) write(page, sseKeepAlive);
  }

  /** Drawing takes a fifth of the time at most, and calls go on between one page and the next. */
  async function beat(): Promise<void> {
    const began = clock.monotonic();
    for (const page of [...pages]) {
      await update(page).catch(() => end(page));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const pauseMs = Math.max(limits.consoleBeatMs, 4 * (clock.monotonic() - began));
    cancelBeat = pages.size === 0 ? undefined : schedule(pauseMs, () => void beat());
  }

  return {
    open(shown, look) {
      if (pages.size >= limits.maxConsoleStreams) return undefined;
      let page: Page | undefined;
      const body = new ReadableStream<Uint8Array>(
        {
          start(controller) {
            page = { controller, look, sent: new Map(liveTexts(shown)), quiet: 0 };
            pages.add(page);
            controller.enqueue(encoder.encode(sseOpening));
          },
          cancel() {
            if (page !== undefined) pages.delete(page);
          },
        },
        new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }),
      );
      cancelBeat ??= schedule(limits.consoleBeatMs, () => void beat());
      return new Response(body, { headers: sseHeaders });
    },
    close() {
      cancelBeat?.();
      for (const page of [...pages]) end(page);
    },
  };
}

function liveTexts(parts: readonly PagePart[]): readonly (readonly [string, string])[] {
  return parts.flatMap(({ id, content, isLive }) => (isLive === true ? [[id, content().text] as const] : []));
}
