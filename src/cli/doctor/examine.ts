import type { Finding, Known, Step, StepDeps } from './finding.ts';

/** A step that was taken, and what it found. */
export interface Examined {
  readonly step: string;
  /** Of a step about an issuer. */
  readonly issuer: string | undefined;
  readonly finding: Finding;
}

/** Takes the steps in order, each with what those before have learned; the last one taken may be one that failed. */
export async function takeSteps(
  steps: readonly Step[],
  known: Known,
  deps: StepDeps,
  issuer: string | undefined,
  say: (examined: Examined) => void,
): Promise<{ readonly known: Known; readonly hasFailed: boolean }> {
  let so = known;
  for (const step of steps) {
    const finding = await step.run(so, deps);
    say({ step: step.name, issuer, finding });
    if (finding.status === 'failed' || finding.status === 'unreachable')
      return { known: so, hasFailed: true };
    so = { ...so, ...finding.learned };
  }
  return { known: so, hasFailed: false };
}
