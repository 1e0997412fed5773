import type { CheckedOutcome } from './check.ts';

/** The outcomes as a JUnit report, as continuous integration reads it. Times in seconds. */
export function junitReport(url: string, outcomes: readonly CheckedOutcome[]): string {
  const failed = outcomes.filter(({ verdict }) => verdict.outcome === 'fail').length;
  const skipped = outcomes.filter(({ verdict }) => verdict.outcome === 'skip').length;
  const cases = outcomes.map(({ check, verdict, ms }): string => {
    const head = `  <testcase classname="${escaped(check.clause)}" name="${escaped(check.title)}" time="${(ms / 1_000).toFixed(3)}"`;
    const detail = verdict.detail === undefined ? '' : escaped(verdict.detail);
    if (verdict.outcome === 'fail') return `${head}><failure message="${detail}"/></testcase>`;
    if (verdict.outcome === 'skip') return `${head}><skipped message="${detail}"/></testcase>`;
    return detail === '' ? `${head}/>` : `${head}><system-out>${detail}</system-out></testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(`backend contract: ${url}`)}" tests="${outcomes.length}" failures="${failed}" skipped="${skipped}">`,
    ...cases,
    '</testsuite>',
    '',
  ].join('\n');
}

const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

/** Without what XML cannot hold at all. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => entities.get(character) ?? '');
}
