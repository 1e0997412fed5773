import fc from 'fast-check';
import type { GatewayDeps } from '#gateway.ts';
import { budget } from '../budget.ts';
import { owners } from './canary.ts';
import { inspect } from './inspect.ts';
import { lookAround } from './observe.ts';
import { actorOf, anyStep, type Step, take } from './steps.ts';
import { createWorld } from './world.ts';

/** What a run of sequences came to. */
export interface Outcome {
  readonly sequences: number;
  readonly steps: number;
  /** Answers, pages and chunks of streams. */
  readonly searched: number;
  /** Undefined: nobody found anything of anybody else's. */
  readonly finding: string | undefined;
}

export interface SequenceRun {
  readonly sequences: number;
  readonly seed: number;
  /** A planted fault. */
  readonly instead?: GatewayDeps['instead'];
}

const sequence = fc.array(anyStep, { minLength: 2, maxLength: 3 });

/**
 * Lets people do random things at one gateway, sequence after sequence, each from where the last one ended. After each
 * step somebody else looks around; whatever anybody is shown is searched. Stops at the first finding.
 */
export async function runSequences(run: SequenceRun): Promise<Outcome> {
  await using world = await createWorld(run.instead);
  for (const who of owners) {
    await take(world, { does: 'link', who, server: 'board', from: 'page' });
    await take(world, { does: 'listen', who, isLegacy: false });
  }
  let steps = 0;
  let sequences = 0;

  const leaks = (): readonly string[] => [
    ...world.gateway.leaks,
    ...world.parties.board.mixed,
    ...world.parties.mixed,
  ];

  async function one(taken: Step): Promise<readonly string[]> {
    steps += 1;
    world.gateway.doing = JSON.stringify(taken);
    const onDisk = taken.does === 'restart' ? inspect(world, 'database') : [];
    await take(world, taken);
    const actor = actorOf(taken);
    const watching = owners.filter((owner) => owner !== actor);
    const watcher = watching[steps % watching.length] ?? 'ada';
    const other = actor ?? owners.find((owner) => owner !== watcher) ?? 'bob';
    // Three people take turns, so that each asks everything, in both eras.
    await lookAround(world.person(watcher), other, Math.floor(steps / watching.length));
    return [...leaks(), ...onDisk];
  }

  const outcome = await fc.check(
    fc.asyncProperty(sequence, async (taken) => {
      sequences += 1;
      for (const step of taken) {
        const found = await one(step);
        if (found.length > 0) throw new Error(found.slice(0, 5).join('\n'));
      }
    }),
    { numRuns: run.sequences, seed: run.seed, endOnFailure: true },
  );
  if (outcome.failed)
    return { sequences, steps, searched: world.gateway.searched, finding: explain(outcome, run.seed) };

  world.gateway.doing = 'the end';
  for (const owner of owners) {
    for (const other of owners.filter((one) => one !== owner)) {
      for (const turn of [0, 1, 2]) await lookAround(world.person(owner), other, turn);
    }
  }
  await world.settle();
  const last = [...leaks(), ...inspect(world, 'everything')];
  return {
    sequences,
    steps,
    searched: world.gateway.searched,
    finding: last.length === 0 ? undefined : `seed ${run.seed}: ${last.slice(0, 20).join('\n')}`,
  };
}

function explain(outcome: fc.RunDetails<[Step[]]>, seed: number): string {
  const taken = outcome.counterexample?.[0] ?? [];
  const cause = outcome.errorInstance;
  return [
    `seed ${seed}, sequence ${outcome.numRuns}, which begins where the one before it ended:`,
    ...taken.map((step) => `  ${JSON.stringify(step)}`),
    cause instanceof Error ? String(cause.stack) : String(cause),
    `Again: bun run fuzz isolation --times ${budget.times} --seed ${budget.seed}`,
  ].join('\n');
}
