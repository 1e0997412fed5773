import { type AnswerHead, parseAnswerHead } from './answer-head.ts';
import type { AnswerSink } from './transport.ts';

/**
 * `done`: the answer is complete, and nothing followed it. `surplus`: complete, and followed by bytes that nobody asked
 * for. After anything but `more` and `done` the connection is of no use.
 */
export type ReadOutcome = 'more' | 'done' | 'surplus' | 'malformed' | 'head_too_large';

/** Reads the answers of one connection, each to the sink that it is for. */
export interface AnswerReader {
  /** A new answer is expected. */
  expect(): void;
  push(chunk: Buffer, sink: AnswerSink): ReadOutcome;
  /** Whether the end of the connection is the end of the answer, too. */
  isDoneAtEnd(): boolean;
  /** Whether the last answer lets another request follow. */
  isReusable(): boolean;
  /** The last answer's head. */
  head(): AnswerHead | undefined;
}

const chunkSize = /^([0-9A-Fa-f]{1,12})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
const trailerLine = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*$/;

type State = 'head' | 'length' | 'until_close' | 'chunk_size' | 'chunk' | 'chunk_end' | 'trailer' | 'done';

/** `maxHeadBytes` bounds a head, and apart from it the trailer and each line of a chunked body. */
export function createAnswerReader(maxHeadBytes: number): AnswerReader {
  let state: State = 'done';
  let head: AnswerHead | undefined;
  /** The text of `head`: a server's answers of one second mostly begin alike. */
  let headText: string | undefined;
  /** Bytes left of the body, or of its present chunk. */
  let left = 0;
  /** The beginning of a head or line whose end has not come yet. */
  let held = '';
  let trailerBytes = 0;

  /** Where `chunk` goes on after a whole head; -1: its end has not come. */
  function readHead(chunk: Buffer, at: number): number | 'malformed' | 'head_too_large' {
    const known = held.length;
    held += chunk.toString('latin1', at);
    const end = held.indexOf('\r\n\r\n', Math.max(0, known - 3));
    if ((end === -1 ? held.length : end) > maxHeadBytes) return 'head_too_large';
    if (end === -1) return -1;
    const text = held.slice(0, end);
    if (text !== headText) head = parseAnswerHead(text);
    headText = text;
    held = '';
    if (head === undefined || head.status === 101) return 'malformed';
    return at + end + 4 - known;
  }

  /** An interim head is followed by another. */
  function afterHead(sink: AnswerSink): void {
    if (head === undefined || head.status < 200) return;
    const { body } = head;
    if (body === 'chunked') state = 'chunk_size';
    else if (body === 'until_close') state = 'until_close';
    else {
      left = body;
      state = body === 0 ? 'done' : 'length';
    }
    sink.head(head.status, head.headers);
  }

  /** Takes a line of a chunked body that has come whole; false: it is none. */
  function takeLine(line: string): boolean {
    if (state === 'chunk_end') {
      state = 'chunk_size';
      return line === '';
    }
    if (state === 'chunk_size') {
      const size = chunkSize.exec(line)?.[1];
      if (size === undefined) return false;
      left = Number.parseInt(size, 16);
      trailerBytes = 0;
      state = left === 0 ? 'trailer' : 'chunk';
      return true;
    }
    if (line === '') {
      state = 'done';
      return true;
    }
    trailerBytes += line.length;
    return trailerBytes <= maxHeadBytes && trailerLine.test(line);
  }

  /** Where `chunk` goes on after a line; -1: its end has not come. */
  function readLine(chunk: Buffer, at: number): number | 'malformed' {
    const end = chunk.indexOf(10, at);
    held += chunk.toString('latin1', at, end === -1 ? chunk.length : end);
    if (held.length > maxHeadBytes) return 'malformed';
    if (end === -1) return -1;
    const line = held;
    held = '';
    if (!line.endsWith('\r') || !takeLine(line.slice(0, -1))) return 'malformed';
    return end + 1;
  }

  function readBody(chunk: Buffer, at: number, sink: AnswerSink): number {
    const end = state === 'until_close' ? chunk.length : Math.min(chunk.length, at + left);
    left -= end - at;
    if (state !== 'until_close' && left === 0) state = state === 'chunk' ? 'chunk_end' : 'done';
    sink.data(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
    return end;
  }

  return {
    expect() {
      state = 'head';
      held = '';
    },
    push(chunk, sink) {
      let at = 0;
      while (at < chunk.length) {
        switch (state) {
          case 'done':
            return 'surplus';
          case 'head': {
            const next = readHead(chunk, at);
            if (typeof next === 'string') return next;
            if (next === -1) return 'more';
            at = next;
            afterHead(sink);
            break;
          }
          case 'length':
          case 'chunk':
          case 'until_close':
            at = readBody(chunk, at, sink);
            break;
          default: {
            const next = readLine(chunk, at);
            if (typeof next === 'string') return next;
            if (next === -1) return 'more';
            at = next;
          }
        }
      }
      return state === 'done' ? 'done' : 'more';
    },
    isDoneAtEnd: () => state === 'until_close',
    isReusable: () => state === 'done' && head?.isReusable === true,
    head: () => head,
  };
}
