import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';

/** Something that reads what others wrote, and what holds whatever they write. */
export interface Target {
  /** The folder of its corpus: inputs that once broke something, or are like real ones. */
  readonly name: string;
  readonly promise: string;
  readonly runs: number;
  /** Texts shaped like what it reads; mutated ones of the corpus come besides. */
  readonly inputs: fc.Arbitrary<string>;
  /** Throws where the promise is broken. */
  readonly holds: (input: Uint8Array) => void | Promise<void>;
}

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function corpusOf(target: Pick<Target, 'name'>): readonly CorpusFile[] {
  const folder = join(import.meta.dirname, '../corpus', target.name);
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.oneof(fc.constant(0), fc.nat(1), fc.nat(20)),
  put: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc
      .constantFrom(
        '"',
        '\\',
        '\n',
        '\r',
        '{',
        ']',
        ',',
        ':',
        '\0',
        '\ud83d',
        '\\ud800',
        '1e999',
        '__proto__',
      )
      .map(bytes),
  ),
});

/** What a target is tried with: shaped texts, real ones with a few bytes changed, and noise. */
export function inputsOf(target: Target): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(
      fc.constantFrom(...corpusOf(target).map((file) => file.bytes)),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
    )
    .map(([file, edits]) => edits.reduce(edited, file));
  return fc.oneof(
    { weight: 5, arbitrary: target.inputs.map(bytes) },
    { weight: 4, arbitrary: mutated },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
  );
}

function edited(
  input: Uint8Array,
  { at, cut, put }: { at: number; cut: number; put: Uint8Array },
): Uint8Array {
  const start = Math.floor(at * input.length);
  return Buffer.concat([input.subarray(0, start), put, input.subarray(start + cut)]);
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

export function textOf(input: Uint8Array): string {
  return Buffer.from(input).toString('utf8');
}
