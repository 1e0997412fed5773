import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnchorSink, type Anchors, createAnchors } from '#audit/anchors.ts';
import { systemClock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { ok } from '#kernel/result.ts';
import { type Schedule, systemSchedule } from '#kernel/schedule.ts';

/** Anchors that end up in an array. */
export function keptAnchors(log: Log = silentLog): { readonly anchors: Anchors; readonly lines: string[] } {
  const lines: string[] = [];
  const sink: AnchorSink = {
    name: 'webhook',
    async send(sent) {
      lines.push(...sent);
      return ok(undefined);
    },
    close() {},
  };
  return { anchors: anchorsOver([sink], log), lines };
}

export function anchorsOver(
  sinks: readonly AnchorSink[],
  log: Log = silentLog,
  schedule: Schedule = systemSchedule,
): Anchors {
  return createAnchors(sinks, { clock: systemClock, log, schedule });
}

/** A schedule whose long waits are short, so that a test need not wait. */
export const hurried: Schedule = (delayMs, task) =>
  systemSchedule(delayMs === limits.anchorCloseMs ? 300 : Math.min(delayMs, 10), task);

/** The checkpoints of a folder, as they stand there. */
export function checkpointsOf(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'))
    .filter((line) => line.includes('"kind":"checkpoint"'));
}
