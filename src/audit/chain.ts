import type { JsonObject } from '#kernel/json.ts';
import type { Signer } from '#keys/signer.ts';
import { type AuditKind, genesisHash, hashLine, type SignedKind, signedPart } from './line.ts';

/** The end of a chain: what the next line links to. */
export interface ChainHead {
  readonly chain: string;
  /** 0 before the first record. */
  readonly seq: number;
  readonly hash: string;
  /** Records after the last checkpoint. */
  readonly unanchored: number;
}

/** Makes the lines of one chain, each linked to the one before. It writes nothing. */
export interface Chain {
  head(): ChainHead;
  /** Of the last record. */
  seq(): number;
  /** Records after the last checkpoint. */
  unanchored(): number;
  /** The next line, without its newline. `fields` must name neither v, kind, chain, seq, time nor prev. */
  append(kind: Exclude<AuditKind, SignedKind>, now: number, fields: JsonObject): string;
  /** The next line, a signature over everything before it. */
  checkpoint(now: number, fields: JsonObject): string;
  /** The next line, with a signature of its own: a start signs whatever it finds at the end, and must not sign this. */
  tombstone(now: number, fields: JsonObject): string;
}

export function newChainHead(chain: string): ChainHead {
  return { chain, seq: 0, hash: genesisHash(chain), unanchored: 0 };
}

export function createChain(start: ChainHead, signer: Signer): Chain {
  const { chain } = start;
  let { seq, hash, unanchored } = start;
  let lastNow: number | undefined;
  let lastTime = '';

  const advance = (line: string): string => {
    hash = hashLine(line);
    seq += 1;
    unanchored += 1;
    return line;
  };
  const timeOf = (now: number): string => {
    if (now === lastNow) return lastTime;
    lastNow = now;
    lastTime = new Date(now).toISOString();
    return lastTime;
  };
  // Put together as text: the fields are the larger part, and copying them into another object costs as much again.
  const lineOf = (kind: AuditKind, now: number, fields: JsonObject): string => {
    const head = `{"v":1,"kind":"${kind}","chain":"${chain}","seq":${seq + 1},"time":"${timeOf(now)}"`;
    const body = JSON.stringify(fields).slice(1, -1);
    return `${head}${body === '' ? '' : ','}${body},"prev":"${hash}"}`;
  };
  const signed = (kind: SignedKind, now: number, fields: JsonObject): string => {
    const unsigned = lineOf(kind, now, { key: signer.keyId, ...fields }).slice(0, -1);
    return advance(`${unsigned},"sig":"${signer.sign(signedPart(kind, unsigned))}"}`);
  };

  return {
    head: () => ({ chain, seq, hash, unanchored }),
    seq: () => seq,
    unanchored: () => unanchored,
    append: (kind, now, fields) => advance(lineOf(kind, now, fields)),
    checkpoint(now, fields) {
      const line = signed('checkpoint', now, fields);
      unanchored = 0;
      return line;
    },
    tombstone: (now, fields) => signed('tombstone', now, fields),
  };
}
