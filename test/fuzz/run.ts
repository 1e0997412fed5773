import { parseArgs } from 'node:util';

// bun run fuzz [isolation | parsers] [--times 10] [--seed N]: the same tests as ever, longer and from another seed.

const { values, positionals } = parseArgs({
  options: { times: { type: 'string', default: '10' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const seed =
  values.seed ?? process.env.FUZZ_SEED ?? String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
const times = process.env.FUZZ_TIMES ?? values.times;
const files = (positionals.length === 0 ? [''] : positionals).map((what) => `test/fuzz/${what}`);
console.info(
  `seed ${seed}, ${times} times as much as in CI: bun run fuzz ${positionals.join(' ')} --times ${times} --seed ${seed}`,
);

const run = Bun.spawn(['bun', '--bun', 'vitest', 'run', '--pool=threads', ...files], {
  env: { ...process.env, FUZZ_SEED: seed, FUZZ_TIMES: times },
  stdout: 'inherit',
  stderr: 'inherit',
});
process.exit(await run.exited);
