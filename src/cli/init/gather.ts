import type { JsonObject } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { audienceAdvice } from '../doctor/audience-advice.ts';
import { UserError } from '../errors.ts';
import type { Draft, DraftIssuer } from './draft.ts';
import {
  gatewayUrlProblem,
  idProblem,
  issuerUrlProblem,
  pairsOf,
  plansOf,
  targetUrlProblem,
  withPath,
} from './given.ts';
import { guessPreset, issuerFrom } from './guess-preset.ts';
import { listedScopes } from './listed-scopes.ts';
import { type SeenIssuer, seeIssuer } from './look-at-issuer.ts';
import { inOrder, namedAfter, offeredScopes, proposePlans } from './propose-plans.ts';
import type { Questions } from './questions.ts';

/** As people know them; the configuration's words are the keys. */
const products = {
  keycloak: 'Keycloak',
  auth0: 'Auth0',
  okta: 'Okta',
  entra: 'Microsoft Entra ID',
  zitadel: 'ZITADEL',
  authentik: 'authentik',
  hydra: 'Ory Hydra',
  cognito: 'Amazon Cognito',
  rfc9068: 'another one, whose access tokens follow RFC 9068',
  generic: 'another one',
} as const satisfies Record<DraftIssuer['preset'], string>;
const presetNames = [
  'keycloak',
  'auth0',
  'okta',
  'entra',
  'zitadel',
  'authentik',
  'hydra',
  'cognito',
  'rfc9068',
  'generic',
] as const;

/** Everything that `cortex init` has to know: given by options, else asked, else taken as most would. */
export async function gatherDraft(invocation: Invocation, ask: Questions | undefined): Promise<Draft> {
  const { options } = invocation;
  const allowsHttp = options.has('allow-http');
  const url = withPath(
    await wanted(options.text('url'), ask, {
      flag: 'url',
      message: 'At which URL will agents reach the gateway?',
      placeholder: 'https://mcp.example.com/mcp',
      problem: (text) => gatewayUrlProblem(text, allowsHttp),
    }),
  );
  const { issuer, metadata } = await gatherIssuer(invocation, ask);
  const backends = new Map(pairsOf(invocation, 'backend'));
  const servers = pairsOf(invocation, 'server');
  if (ask !== undefined && backends.size === 0) await askBackends(ask, backends);
  const shared = new Map([...backends].filter(([id]) => servers.has(id)));
  if (shared.size > 0)
    throw new UserError(`${[...shared.keys()].join(', ')}: a backend and a server need names of their own`, {
      next: 'name one of them differently',
    });
  const technicalTokenVariable = variableOf(invocation);
  const known = { url, backends, technicalTokenVariable, allowsHttp };
  const plans = await gatherPlans(invocation, ask, { ...known, servers, metadata });
  return {
    ...known,
    servers,
    plans: inOrder(plans),
    issuer,
    listen: options.text('listen') ?? listenFor(url),
    name: options.text('name'),
  };
}

interface Wish {
  readonly flag: string;
  readonly message: string;
  readonly placeholder: string;
  readonly problem: (text: string) => string | undefined;
}

async function wanted(given: string | undefined, ask: Questions | undefined, wish: Wish): Promise<string> {
  const { flag, message, placeholder, problem } = wish;
  if (given === undefined && ask !== undefined) return ask.text(message, { placeholder, problem });
  if (given === undefined)
    throw new UserError(`--${flag} is needed where nobody can be asked`, {
      next: 'cortex init --url https://mcp.example.com/mcp --issuer https://auth.example.com',
    });
  const found = problem(given);
  if (found !== undefined)
    throw new UserError(`--${flag} ${given}: ${found}`, { next: `--${flag} ${placeholder}` });
  return given;
}

async function gatherIssuer(
  invocation: Invocation,
  ask: Questions | undefined,
): Promise<{ readonly issuer: DraftIssuer; readonly metadata: JsonObject | undefined }> {
  const { options, output } = invocation;
  const allowsHttp = options.has('allow-http');
  const isOffline = !options.has('check');
  for (;;) {
    const typed = issuerFrom(
      await wanted(options.text('issuer'), ask, {
        flag: 'issuer',
        message: 'Who signs people in? The issuer of their tokens:',
        placeholder: 'https://auth.example.com',
        problem: (text) => issuerUrlProblem(text, allowsHttp),
      }),
    );
    const look = () => seeIssuer(typed);
    const seen = isOffline
      ? { url: typed, metadata: undefined, preset: guessPreset(typed, undefined) }
      : await (ask === undefined ? look() : ask.during(`Looking at ${typed}`, look));
    if (seen.url !== typed) output.note(`The issuer spells itself ${seen.url}; that is what its tokens say.`);
    const isLost = seen.metadata === undefined && !isOffline && ask !== undefined;
    if (isLost && options.text('issuer') === undefined) {
      if (!(await ask.confirm(`${typed} publishes no metadata. Take it all the same?`, false))) continue;
    }
    return { issuer: await withPreset(invocation, ask, seen), metadata: seen.metadata };
  }
}

async function withPreset(
  { options }: Invocation,
  ask: Questions | undefined,
  seen: SeenIssuer,
): Promise<DraftIssuer> {
  const named = options.text('preset') ?? (await ask?.choose('Which product is it?', products, seen.preset));
  const preset = presetNames.find((name) => name === named) ?? seen.preset;
  // Without its metadata it cannot say how it spells itself; these two are known to.
  const isSlashed = (preset === 'auth0' || preset === 'authentik') && !seen.url.endsWith('/');
  const url = seen.metadata === undefined && isSlashed ? `${seen.url}/` : seen.url;
  const audience = options.list('audience');
  const clients = options.list('client');
  const isOfClients = preset === 'cognito';
  const advice = audienceAdvice({ url, preset });
  const isOpen = audience.length === 0 && clients.length === 0;
  if (ask === undefined || advice === undefined || !isOpen) return { url, preset, audience, clients };
  ask.say(advice);
  const answer = await ask.text(
    isOfClients
      ? 'Ids of the app clients whose users may come:'
      : 'Audience of the tokens (empty: the gateway’s URL):',
    {},
  );
  const words = answer.split(/[,\s]+/).filter((word) => word !== '');
  return { url, preset, audience: isOfClients ? [] : words, clients: isOfClients ? words : [] };
}

async function askBackends(ask: Questions, backends: Map<string, string>): Promise<void> {
  for (;;) {
    const message =
      backends.size === 0
        ? 'An application of yours behind it: a short name (empty: none yet)'
        : 'Another one? (empty: no more)';
    const id = await ask.text(message, {
      placeholder: 'notes',
      problem: (text) => {
        if (text === '') return undefined;
        return backends.has(text) ? 'that one is there already' : idProblem(text);
      },
    });
    if (id === '') return;
    const url = await ask.text(`Where does ${id} listen?`, {
      placeholder: 'http://127.0.0.1:4820',
      problem: targetUrlProblem,
    });
    backends.set(id, url.replace(/\/$/, ''));
  }
}

async function gatherPlans(
  invocation: Invocation,
  ask: Questions | undefined,
  about: Pick<Draft, 'url' | 'backends' | 'servers' | 'technicalTokenVariable' | 'allowsHttp'> & {
    readonly metadata: JsonObject | undefined;
  },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const given = plansOf(invocation);
  if (given.size > 0) return given;
  const { backends, servers, metadata } = about;
  const isOffline = !invocation.options.has('check');
  const listed = isOffline ? [] : await listedScopes(about, invocation.terminal);
  const offered = offeredScopes(metadata);
  const named = namedAfter(backends.keys(), servers.keys());
  const [scopes, source] =
    listed.length > 0
      ? [[...new Set([...listed, ...namedAfter([], servers.keys())])], 'your applications list them']
      : offered.length > 0
        ? [offered, 'the issuer has them']
        : [named, 'named after your applications: define them at the issuer'];
  if (ask === undefined) {
    if (scopes.length === 0)
      throw new UserError('there are no scopes to make plans of: no application, and none at the issuer', {
        next: '--backend notes=http://127.0.0.1:4820, or --plan everyone=mcp:notes:read',
      });
    invocation.output.note(`Scopes: ${scopes.join(' ')} (${source}).`);
    return proposePlans(scopes);
  }
  return askPlans(ask, scopes, source);
}

async function askPlans(
  ask: Questions,
  scopes: readonly string[],
  source: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const chosen =
    scopes.length === 0 ? [] : await ask.chooseMany(`Scopes that open tools (${source})`, scopes, scopes);
  const proposed = proposePlans(chosen);
  const shown = [...proposed].map(([name, all]) => `${name}: ${all.join(' ')}`);
  if (shown.length > 0) {
    ask.say(`Plans, which are names for scopes:\n${shown.join('\n')}`);
    if (await ask.confirm('Take these plans?', true)) return proposed;
  }
  const plans = new Map<string, readonly string[]>();
  for (;;) {
    const name = await ask.text(plans.size === 0 ? 'Name of a plan:' : 'Another plan? (empty: no more)', {
      placeholder: 'everyone',
      problem: (text) => (text === '' && plans.size === 0 ? 'one at least' : undefined),
    });
    if (name === '') return plans;
    const all = await ask.text(`Scopes of ${name}, with spaces between:`, {
      initial: chosen.join(' '),
      problem: (text) => (text === '' ? 'one at least' : undefined),
    });
    plans.set(name, all.split(/[,\s]+/));
  }
}

function variableOf({ options, terminal }: Invocation): string | undefined {
  const name = options.text('technical-token-env');
  if (name === undefined) return undefined;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new UserError(`${JSON.stringify(name)} is no name of a variable`, {
      next: '--technical-token-env NAME',
    });
  if ((terminal.environment[name] ?? '') === '')
    throw new UserError(`the environment variable ${name} is not set`, { next: `export ${name}=...` });
  return name;
}

/** A gateway at an address of this machine listens there itself; any other is behind a proxy. */
function listenFor(url: string): string {
  const { protocol, port } = new URL(url);
  return protocol === 'http:' ? `127.0.0.1:${port === '' ? '80' : port}` : '127.0.0.1:3213';
}
