import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Load {
  readonly url: string;
  /** The JSON-RPC message of every request. */
  readonly body: string;
  readonly toolName: string;
  /** A file with one bearer token a line. */
  readonly tokensFile: string;
  readonly connections: number;
  readonly seconds: number;
  /** The process whose CPU time is counted. */
  readonly pid: number;
}

export interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** CPU time of the process a request, user and system. */
  readonly cpuUs: number;
}

const ticksPerSecond = 100;

/** Runs wrk once. Throws where any request failed: figures over refusals mean nothing. */
export async function measure(load: Load): Promise<Figures> {
  const cpuBefore = cpuTicks(load.pid);
  const child = Bun.spawn(
    [
      'wrk',
      '--threads=1',
      `--connections=${load.connections}`,
      `--duration=${load.seconds}s`,
      '--timeout=10s',
      '--script',
      join(import.meta.dirname, 'wrk.lua'),
      load.url,
      '--',
      load.body,
      load.tokensFile,
      load.toolName,
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  );
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const cpuSeconds = (cpuTicks(load.pid) - cpuBefore) / ticksPerSecond;
  const numbers = /^FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)?.slice(1).map(Number);
  if (numbers === undefined) throw new Error(`wrk said nothing about ${load.url}:\n${stdout}${stderr}`);
  const [requests = 0, durationUs = 0, failed = 0, p50Us = 0, p99Us = 0] = numbers;
  if (failed > 0 || requests === 0)
    throw new Error(`${failed} of ${requests} requests to ${load.url} failed`);
  return {
    requestsPerSecond: requests / (durationUs / 1e6),
    p50Us,
    p99Us,
    cpuUs: (cpuSeconds * 1e6) / requests,
  };
}

/** User and system time of a process with all its threads, in ticks (proc(5), fields 14 and 15). */
function cpuTicks(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
