import { parseTools } from '#contract/parse-tools.ts';
import type { ToolDefinition } from '#contract/types.ts';
import type { CheckIssuer } from '#demo/check-issuer.ts';
import { type Check, type CheckedOutcome, fail, type Kit, type Verdict } from './check.ts';
import { identityChecks } from './identity-checks.ts';
import { listChecks } from './list-checks.ts';
import type { Probe } from './probe.ts';
import { robustnessChecks } from './robustness-checks.ts';

export const allChecks: readonly Check[] = [...listChecks, ...identityChecks, ...robustnessChecks];

const maxDefinitions = 2_000;

/** What the caller brings. */
export interface Presented {
  readonly probe: Probe;
  readonly technicalToken: string;
  /** Of two users; undefined where an issuer makes them. */
  readonly tokens: readonly [string, string | undefined] | undefined;
  readonly issuer: CheckIssuer | undefined;
}

/** Runs every check, one after the other; none changes the backend's data, unless a tool marked read-only does. */
export async function runChecks(
  presented: Presented,
  onDone: (outcome: CheckedOutcome) => void,
): Promise<readonly CheckedOutcome[]> {
  const kit = await kitOf(presented);
  const outcomes: CheckedOutcome[] = [];
  for (const check of allChecks) {
    const startedMs = performance.now();
    const verdict = await verdictOf(check, kit);
    const outcome = { check, verdict, ms: performance.now() - startedMs };
    outcomes.push(outcome);
    onDone(outcome);
  }
  return outcomes;
}

/** A check that breaks off has met an answer that it did not expect: that is a verdict, too. */
async function verdictOf(check: Check, kit: Kit): Promise<Verdict> {
  try {
    return await check.run(kit);
  } catch (error) {
    return fail(`the check broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function kitOf({ probe, technicalToken, tokens, issuer }: Presented): Promise<Kit> {
  const listed = await probe({ method: 'list_tools', token: technicalToken });
  const parsed = parseTools(listed.json, maxDefinitions);
  const tools = parsed.ok ? parsed.value.definitions : [];
  const scope = [...new Set(tools.flatMap(({ scopes }) => scopes))].join(' ');
  const [token = '', otherToken] =
    tokens ??
    (issuer === undefined ? [] : await Promise.all([mint(issuer, 'ada', scope), mint(issuer, 'bob', scope)]));
  const whoami = await probe({ method: 'whoami', token });
  return {
    probe,
    technicalToken,
    token,
    otherToken,
    issuer,
    scope,
    tools,
    readable: tools.find(isReadable),
    hasWhoami: whoami.status === 200,
  };
}

function mint(issuer: CheckIssuer, sub: string, scope: string): Promise<string> {
  return issuer.mint({ sub, scope, email: `${sub}@example.com` });
}

function isReadable({ isReadOnly, inputSchema }: ToolDefinition): boolean {
  const { required } = inputSchema;
  return isReadOnly && (required === undefined || (Array.isArray(required) && required.length === 0));
}
