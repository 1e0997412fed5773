import { describe, expect, test } from 'vitest';
import { Cancellation, toAbortSignal } from '#kernel/cancellation.ts';

describe('a cancellation', () => {
  test('tells each listener once, and not who has stopped listening', () => {
    const cancellation = new Cancellation();
    const heard: string[] = [];
    const gone = () => heard.push('gone');
    cancellation.addEventListener('abort', () => heard.push('first'));
    cancellation.addEventListener('abort', gone);
    cancellation.addEventListener('abort', () => heard.push('second'));
    cancellation.removeEventListener('abort', gone);
    cancellation.abort('why');
    cancellation.abort('again');
    expect(heard).toEqual(['first', 'second']);
    expect([cancellation.aborted, cancellation.reason]).toEqual([true, 'why']);
  });

  test('can be had as an AbortSignal, before it is cancelled and after', () => {
    const cancellation = new Cancellation();
    const before = toAbortSignal(cancellation);
    expect(before.aborted).toBe(false);
    cancellation.abort('why');
    expect([before.aborted, toAbortSignal(cancellation).aborted]).toEqual([true, true]);
    expect(toAbortSignal(before)).toBe(before);
  });
});
