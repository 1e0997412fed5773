/** The time of day, UTC. */
export function clockText(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString().slice(11, 19) : '--:--:--';
}

/** `0.12 ms`, `340 ms`, `12.5 s`. */
export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms >= 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  return ms >= 100 ? `${Math.round(ms)} ms` : `${Number(ms.toPrecision(2))} ms`;
}
