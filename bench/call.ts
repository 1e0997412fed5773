import { parseArgs } from 'node:util';
import { useCompiledBinary } from '../test/support/compiled-binary.ts';
import { markdown, ratios, type Series } from './report.ts';
import { startTargets } from './targets.ts';
import { type Figures, measure } from './wrk.ts';

/**
 * One tools/call through the gateway, through a plain nginx proxy and through the SDK's own handler, in front of one
 * backend, in interleaved rounds. Only ratios within one run mean anything. Needs nginx and wrk.
 */
const { values } = parseArgs({
  options: {
    /** One short round: proves that it runs, says little about speed. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    /** Write the tables here as well. */
    markdown: { type: 'string' },
    /** Exit 1 when a figure misses its `must`. */
    check: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
const seconds = Number(values.seconds ?? (values.quick ? 1 : 3));
const concurrencies = [1, 16, 64, 256] as const;

for (const tool of ['nginx', 'wrk']) {
  if (Bun.which(tool) === null) {
    process.stderr.write(`${tool} is missing: apt-get install -y nginx-light wrk\n`);
    process.exit(2);
  }
}

await useCompiledBinary();
await using stack = await startTargets();
const measured = new Map<string, { readonly series: Series; readonly rounds: Figures[] }>();
for (const connections of concurrencies) {
  for (const target of stack.targets) {
    const figures: Figures[] = [];
    const series = { target: target.name, connections, rounds: figures };
    measured.set(`${target.name} ${connections}`, { series, rounds: figures });
  }
}
const load = { body: stack.body, toolName: stack.toolName, tokensFile: stack.tokensFile };

for (const target of stack.targets) {
  await measure({ ...load, ...target, connections: 64, seconds: values.quick ? 1 : 2 });
}
for (let round = 1; round <= rounds; round += 1) {
  for (const connections of concurrencies) {
    for (const target of stack.targets) {
      const figures = await measure({ ...load, ...target, connections, seconds });
      measured.get(`${target.name} ${connections}`)?.rounds.push(figures);
      process.stderr.write(
        `round ${round} c=${connections} ${target.name}: ${figures.requestsPerSecond.toFixed(0)}/s, p50 ${figures.p50Us} us\n`,
      );
    }
  }
}

const series = [...measured.values()].map((one) => one.series);
const rows = ratios(series);
const text = markdown(series, rows);
process.stdout.write(text);
if (values.markdown !== undefined) await Bun.write(values.markdown, text);
if (values.check && rows.some((row) => !row.isMet)) process.exitCode = 1;
