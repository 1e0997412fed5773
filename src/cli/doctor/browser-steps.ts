import {
  type Finding,
  fail,
  type Known,
  ok,
  type Step,
  type StepDeps,
  skipped,
  unreachable,
  warn,
} from './finding.ts';
import { httpFault } from './http-fault.ts';
import type { Answer } from './probe.ts';
import { proxyLines, proxyOf } from './proxy-lines.ts';

/** What a browser asks before it lets a page connect. */
export const browserSteps: readonly Step[] = [
  { name: 'exposed', run: exposed },
  { name: 'preflight', run: preflight },
];

const needed = ['WWW-Authenticate', 'Mcp-Session-Id'];
const sent = [
  'authorization',
  'content-type',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-session-id',
  'last-event-id',
];
const nobody = 'no page of elsewhere connects; --origin names one that does';

/** Without these headers a page sees a 401 and not where to sign in. */
async function exposed(known: Known, { probe }: StepDeps): Promise<Finding> {
  const { url, origin } = known;
  if (origin === undefined) return skipped(nobody);
  const answer = await probe('POST', url, { headers: { origin } });
  if (!answer.ok) return unreachable(`${url} does not answer: ${answer.error}`, 'look at the proxy');
  const denied = originRefused(answer.value, known);
  if (denied !== undefined) return denied;
  if (answer.value.status !== 401) return httpFault(answer.value, known, '401');
  const { header } = answer.value;
  const lines = { proxyLines: proxyLines('cors', proxyOf(header)) };
  const allowed = header('access-control-allow-origin');
  if (allowed !== origin && allowed !== '*')
    return fail(
      `a page of ${origin} may not read the answer (Access-Control-Allow-Origin is ${allowed ?? 'absent'})`,
      'leave those headers to the gateway: the proxy must neither set nor drop them',
      lines,
    );
  const shown = namesIn(header('access-control-expose-headers'));
  const hidden = needed.filter((name) => !shown.has(name.toLowerCase()));
  if (hidden.length === 0) return ok(`a page of ${origin} sees ${needed.join(' and ')}`);
  return fail(
    `a page of ${origin} does not see ${hidden.join(' and ')} (Access-Control-Expose-Headers is ${
      header('access-control-expose-headers') ?? 'absent'
    })`,
    'leave those headers to the gateway: the proxy must neither set nor drop them',
    lines,
  );
}

async function preflight(known: Known, { probe }: StepDeps): Promise<Finding> {
  const { url, origin } = known;
  if (origin === undefined) return skipped(nobody);
  const answer = await probe('OPTIONS', url, {
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': sent.join(', '),
    },
  });
  if (!answer.ok)
    return unreachable(`a preflight of ${url} is not answered: ${answer.error}`, 'look at the proxy');
  const denied = originRefused(answer.value, known);
  if (denied !== undefined) return denied;
  const { status, header } = answer.value;
  const fix = 'have the proxy pass OPTIONS on to the gateway, which answers it without a token';
  const lines = { proxyLines: proxyLines('cors', proxyOf(header)) };
  if (status < 200 || status > 299) return fail(`a preflight was answered ${status}`, fix, lines);
  const allowed = header('access-control-allow-origin');
  if (allowed !== origin && allowed !== '*') return fail(`a preflight does not allow ${origin}`, fix, lines);
  const headers = namesIn(header('access-control-allow-headers'));
  // A star stands for every header but Authorization.
  const refused = sent.filter(
    (name) => !headers.has(name) && (name === 'authorization' || !headers.has('*')),
  );
  if (refused.length > 0) return fail(`a preflight does not allow ${refused.join(', ')}`, fix, lines);
  return ok(`a page of ${origin} may call`);
}

/** Hosted clients connect from their vendor's servers, without an origin: only who named a page needs it. */
function originRefused({ status, json }: Answer, { origin, isOriginNamed }: Known): Finding | undefined {
  if (status !== 403 || json?.error !== 'origin_refused') return undefined;
  const found = `the gateway refuses pages of ${origin}`;
  const fix = `add it to gateway.origins: [${origin}]`;
  if (isOriginNamed) return fail(found, fix);
  return warn(found, `if pages in a browser are to connect, ${fix}; if not, say so with --origin none`, {
    learned: { origin: undefined },
  });
}

function namesIn(list: string | undefined): ReadonlySet<string> {
  return new Set((list ?? '').split(',').map((name) => name.trim().toLowerCase()));
}
