import { basename } from 'node:path';
import type { Verifier } from '#keys/signer.ts';
import type { AuditBreak } from './audit-break.ts';
import { signatureProblem } from './chain-check.ts';
import { readLines } from './files.ts';
import { hashLine, parseAuditLine } from './line.ts';

/** A checkpoint that is kept elsewhere, as far as verifying needs it. */
export interface Anchor {
  readonly chain: string;
  readonly seq: number;
  readonly hash: string;
  readonly time: string;
  /** `file:line` of where it is kept. */
  readonly place: string;
}

/** What files of anchors hold. */
export interface AnchorLedger {
  /** Each chain's anchors by the number of their record; every one of them is signed. */
  readonly chains: ReadonlyMap<string, ReadonlyMap<number, Anchor>>;
  readonly count: number;
  /** Those that stand there more than once: that proves no more and no less. */
  readonly repeated: number;
  /** What passes for an anchor and is none, or contradicts another. */
  readonly problems: readonly AuditBreak[];
}

/** A batch of a telemetry collector is one line. */
const maxLineBytes = 4 * 1024 * 1024;
const maxProblems = 100;
type Problem = Pick<AuditBreak, 'reason' | 'message'>;

/**
 * Reads checkpoints out of files, wherever in a line they stand: bodies of the webhook, syslog with its head, a collector's
 * JSON with the checkpoint as an escaped text, a copy of whole records. What holds none is passed over.
 */
export async function readAnchors(files: readonly string[], verifier: Verifier): Promise<AnchorLedger> {
  const chains = new Map<string, Map<number, Anchor>>();
  const problems: AuditBreak[] = [];
  let count = 0;
  let repeated = 0;

  /** Adds an anchor; what it returns is wrong with it. */
  function take(text: string, place: string): Problem | undefined {
    const bytes = Buffer.from(text);
    const parsed = parseAuditLine(bytes);
    if (!parsed.ok || parsed.value.kind !== 'checkpoint')
      return { reason: 'not_a_record', message: 'a checkpoint that was cut or changed' };
    const problem = signatureProblem(parsed.value, bytes, verifier);
    if (problem !== undefined) return { reason: problem.reason, message: `an anchor: ${problem.message}` };
    const { chain, seq, time } = parsed.value;
    const ofChain = chains.get(chain) ?? new Map<number, Anchor>();
    chains.set(chain, ofChain);
    const hash = hashLine(text);
    const known = ofChain.get(seq) ?? { chain, seq, hash, time, place };
    if (known.hash !== hash)
      return {
        reason: 'anchor_differs',
        message: `record ${seq} of ${chain} is another one at ${known.place}`,
      };
    count += 1;
    if (ofChain.has(seq)) repeated += 1;
    ofChain.set(seq, known);
    return undefined;
  }

  for (const path of files) {
    const file = basename(path);
    let line = 0;
    const onLine = (bytes: Buffer): boolean => {
      line += 1;
      for (const text of checkpointsIn(bytes.toString('utf8'))) {
        const problem = take(text, `${file}:${line}`);
        if (problem !== undefined && problems.length < maxProblems) problems.push({ file, line, ...problem });
      }
      return true;
    };
    const { end, tornBytes } = await readLines(path, 0, onLine, maxLineBytes);
    // Who appends without a newline at the end means that line all the same.
    if (tornBytes > 0) onLine(await tailOf(path, end));
  }
  return { chains, count, repeated, problems };
}

async function tailOf(path: string, from: number): Promise<Buffer> {
  return Buffer.from(
    await Bun.file(path)
      .slice(from, from + maxLineBytes)
      .arrayBuffer(),
  );
}

const recordHead = '{"v":1,"kind":"';
const escapedHead = '{\\"v\\":1,\\"kind\\":\\"checkpoint\\"';

/**
 * The checkpoints of one line, whole or cut. Where a record stands in plain, texts inside of it are not looked at: they are
 * what a client sent.
 */
export function checkpointsIn(line: string): readonly string[] {
  const plain = line.indexOf(recordHead);
  if (plain >= 0) {
    const record = line.slice(plain);
    if (!record.startsWith(`${recordHead}checkpoint"`)) return [];
    return [/^.*?"sig":"[\w-]*"\}/.exec(record)?.[0] ?? record];
  }
  return line
    .split(escapedHead)
    .slice(1)
    .map((rest) => unescaped(`${escapedHead}${/^.*?\\"sig\\":\\"[\w-]*\\"\}/.exec(rest)?.[0] ?? ''}`));
}

function unescaped(text: string): string {
  return text.replaceAll('\\"', '"');
}
