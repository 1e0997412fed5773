import { printable, showFile } from '#config/issue.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { type KeyReport, keyUses, reportKey, ringNames } from '../key-places.ts';
import { requireConfig } from '../require-config.ts';

/** Shows the gateway's keys by their ids, never a secret. Exit code 1: one cannot be used. */
export async function keysList(invocation: Invocation): Promise<number> {
  const { output, terminal } = invocation;
  const { config, mayRunCommands: hasSecrets } = await requireConfig(invocation, false);
  const reports: KeyReport[] = [];
  for (const name of ringNames) reports.push(await reportKey(config, name, hasSecrets));
  const isFine = reports.every(({ state }) => state !== 'wrong');
  if (output.isJson) {
    output.document({
      keys: reports.map(({ name, place, state, problem, ids, publicKeys }) => ({
        name,
        use: keyUses[name],
        place,
        state,
        problem: problem ?? null,
        ids: [...ids],
        public_keys: [...publicKeys],
      })),
    });
    return isFine ? exitCodes.done : exitCodes.no;
  }
  const rows = reports.map((report) => [report.name, stateOf(report), keyUses[report.name]]);
  output.table({
    head: ['KEY', 'IDS', 'FOR'],
    rows,
    style: (at) => (reports[at]?.state === 'wrong' ? 'red' : undefined),
    below(at) {
      const report = reports[at];
      if (report === undefined) return [];
      const label = report.name === 'assertion' ? 'kid' : 'public key';
      const place = `  in ${printable(showFile(report.place, terminal.cwd))}`;
      return [place, ...report.publicKeys.map((key) => `  ${label} ${key}`)].map((line) =>
        output.paint('dim', line),
      );
    },
  });
  for (const { name, problem } of reports)
    if (problem !== undefined) output.warn(`${name}: ${printable(problem)}`);
  if (reports.some(({ state }) => state === 'absent'))
    output.note('The gateway makes what is absent when it starts; to make it now: cortex keys generate');
  return isFine ? exitCodes.done : exitCodes.no;
}

function stateOf({ state, ids, problem }: KeyReport): string {
  if (state === 'absent') return 'absent';
  if (state === 'wrong') return 'WRONG';
  if (ids.length === 0) return problem === undefined ? '-' : 'not read';
  return ids.map((id, index) => (index === 0 ? id : `(${id})`)).join(' ');
}
