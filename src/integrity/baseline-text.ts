import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Signer, Verifier } from '#keys/signer.ts';
import type { Baseline } from './baseline.ts';
import { itemKey, type Pin, readPin } from './pin.ts';

/** Why a baseline is not believed. */
export type TextProblem =
  | 'corrupt' // not of this shape
  | 'unsigned'
  | 'foreign_key' // signed with a key that is not the expected one
  | 'tampered'; // not what was signed

const version = 1;

/**
 * A baseline as text: a line that says when it was made, by which key, with the signature over all that follows; then
 * one accepted definition a line, in order. Without a signer it is a draft, for somebody else to sign.
 */
export function writeBaseline({ at, pins }: Baseline, signer: Signer | undefined): string {
  const all = [...pins.values()].flat();
  all.sort((a, b) => compare(itemKey(a), itemKey(b)));
  const body = all.map(({ line }) => `${line}\n`).join('');
  const head = { cortex_baseline: version, at, items: all.length };
  const signed = signer && {
    key: signer.keyId,
    signature: signer.sign(messageOf(at, all.length, body)),
  };
  return `${JSON.stringify({ ...head, ...signed })}\n${body}`;
}

/** Reads a signed baseline. Nothing of it is looked at, but for the first line, before the signature is found good. */
export function readBaseline(text: string, verifier: Verifier): Result<Baseline, TextProblem> {
  const read = splitText(text);
  if (read === undefined) return err('corrupt');
  const { at, items, key, signature, body } = read;
  if (key === undefined || signature === undefined) return err('unsigned');
  if (!verifier.has(key)) return err('foreign_key');
  if (!verifier.verify(key, messageOf(at, items, body), signature)) return err('tampered');
  return readBody(at, items, body);
}

/** Reads a draft or a signed baseline, whoever signed it: to look at, and to sign. */
export function readUnverified(text: string): Result<Baseline, 'corrupt'> {
  const read = splitText(text);
  return read === undefined ? err('corrupt') : readBody(read.at, read.items, read.body);
}

interface SplitText {
  readonly at: number;
  readonly items: number;
  readonly key: string | undefined;
  readonly signature: string | undefined;
  readonly body: string;
}

function splitText(text: string): SplitText | undefined {
  const end = text.indexOf('\n');
  const parsed = end < 0 || end > 1_000 ? undefined : parseJson(text.slice(0, end));
  if (!parsed?.ok || !isJsonObject(parsed.value)) return undefined;
  const { cortex_baseline, at, items } = parsed.value;
  if (cortex_baseline !== version || typeof at !== 'number' || typeof items !== 'number') return undefined;
  return {
    at,
    items,
    key: stringAt(parsed.value, 'key'),
    signature: stringAt(parsed.value, 'signature'),
    body: text.slice(end + 1),
  };
}

function readBody(at: number, items: number, body: string): Result<Baseline, 'corrupt'> {
  const pins = new Map<string, Pin[]>();
  const lines = body === '' ? [] : body.replace(/\n$/, '').split('\n');
  if (lines.length !== items) return err('corrupt');
  for (const line of lines) {
    const pin = readPin(line);
    if (pin === undefined) return err('corrupt');
    const key = itemKey(pin);
    const known = pins.get(key);
    if (known === undefined) pins.set(key, [pin]);
    else known.push(pin);
  }
  return ok({ at, pins });
}

function messageOf(at: number, items: number, body: string): Uint8Array {
  return Buffer.from(`cortex baseline ${version}\n${at}\n${items}\n${body}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
