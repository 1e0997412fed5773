import type { IssuerOptions } from '#auth/options.ts';
import { peekToken } from '#auth/peek-token.ts';
import { presets } from '#auth/presets/table.ts';
import { browserSteps } from './browser-steps.ts';
import { type Finding, type Known, type Step, type StepDeps, skipped } from './finding.ts';
import { challengeSteps, metadataSteps } from './gateway-steps.ts';
import { issuerSteps } from './issuer-steps.ts';
import { networkSteps } from './network-steps.ts';
import { sessionSteps } from './session-steps.ts';
import { streamSteps } from './stream-steps.ts';
import { tokenSteps } from './token-steps.ts';

/** A step that was taken, and what it found. */
export interface Examined {
  readonly step: string;
  /** Of a step about an issuer. */
  readonly issuer: string | undefined;
  readonly finding: Finding;
}

/** What is to be looked at. */
export interface Examination {
  readonly start: Known;
  /** Whether a gateway is asked, and not the configuration alone. */
  readonly hasGateway: boolean;
  /** Whether `start.options` are the gateway's own, and not what it says of itself to everybody. */
  readonly isConfigured: boolean;
  /** Gets a token as a client does; undefined: only a given one is used. */
  readonly signIn: Step | undefined;
  /** One for each backend. */
  readonly backends: readonly Step[];
}

/** The steps of a client up to the keys; the order in which one stumbles. */
export const gatewaySteps: readonly Step[] = [
  ...networkSteps,
  ...challengeSteps,
  ...browserSteps,
  ...metadataSteps,
];

/** Takes every step in order, up to the first that failed; `say` hears of each. */
export async function examine(
  { start, hasGateway, isConfigured, signIn, backends }: Examination,
  deps: StepDeps,
  say: (examined: Examined) => void,
): Promise<void> {
  const gateway = await takeSteps(hasGateway ? gatewaySteps : [], start, deps, undefined, say);
  if (gateway.hasFailed) return;
  let { known } = gateway;
  const looked: Known[] = [];
  for (const issuer of known.options.issuers) {
    const about = { ...known, issuer, metadata: undefined, keySet: undefined };
    const seen = await takeSteps(issuerSteps, about, deps, issuer.url, say);
    if (seen.hasFailed) return;
    looked.push(seen.known);
  }
  if (signIn !== undefined) {
    const signed = await takeSteps([signIn], known, deps, undefined, say);
    if (signed.hasFailed) return;
    known = signed.known;
  }
  const { token } = known;
  if (token !== undefined) {
    const issuer = issuerOf(token, known.options.issuers);
    const about = { ...(looked.find((one) => one.issuer === issuer) ?? known), token };
    const all = stepsOfToken(token, issuer, isConfigured);
    const steps = hasGateway && !isConfigured ? all.map(doubted) : all;
    const judged = await takeSteps(steps, about, deps, issuer?.url, say);
    if (judged.hasFailed) return;
    known = { ...known, doubt: judged.known.doubt };
  }
  if (hasGateway && token !== undefined && isBound(token)) {
    const found = 'the token is bound to a key that its client alone holds: nobody else can use it';
    say({ step: 'initialize', issuer: undefined, finding: skipped(found) });
  } else if (hasGateway && token !== undefined) {
    const client = await takeSteps([...sessionSteps, ...streamSteps], known, deps, undefined, say);
    if (client.hasFailed) return;
  }
  for (const backend of backends) await takeSteps([backend], known, deps, undefined, say);
}

/** Takes the steps in order, each with what those before have learned; the last one taken may be one that failed. */
async function takeSteps(
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

/** Without its configuration only the gateway knows what it takes: what fails here is a doubt, and it is asked. */
function doubted(step: Step): Step {
  return {
    name: step.name,
    async run(known, deps) {
      if (known.doubt !== undefined) return skipped('the gateway is asked');
      const finding = await step.run(known, deps);
      if (finding.status !== 'failed') return finding;
      const { found, fix } = finding;
      return {
        ...finding,
        status: 'warning',
        learned: { doubt: { found, ...(fix !== undefined && { fix }) } },
      };
    },
  };
}

function isBound(token: string): boolean {
  const peeked = peekToken(token);
  return peeked.ok && peeked.value.claims.cnf !== undefined;
}

/** An opaque token can be judged by nobody but whoever may ask its issuer. */
function stepsOfToken(
  token: string,
  issuer: IssuerOptions | undefined,
  isConfigured: boolean,
): readonly Step[] {
  if (peekToken(token).ok || (isConfigured && issuer?.introspection === undefined)) return tokenSteps;
  return [{ name: 'token', run: () => skipped('an opaque token: the gateway asks its issuer about it') }];
}

/** Whose token it says it is; one of nobody's is explained against the first. */
function issuerOf(token: string, issuers: readonly IssuerOptions[]): IssuerOptions | undefined {
  const peeked = peekToken(token);
  const named = peeked.ok ? peeked.value.issuer : undefined;
  const spells = ({ preset = 'generic', url }: IssuerOptions) =>
    named !== undefined && presets[preset].spellings(url).includes(named);
  return issuers.find(spells) ?? issuers[0];
}
