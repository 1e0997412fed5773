import type { Config } from '#config/config.ts';
import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { reservedNames } from '#mcp/builtins/definitions.ts';
import { everyScope, requirePlan, scopesNamed } from '../catalog-scopes.ts';
import { findCatalog } from '../catalog-source.ts';
import { gatesBefore } from '../catalog-why.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { applicationGates } from '../explain/application-gates.ts';
import { allowanceGate, type CallGate, identityGate } from '../explain/call-gates.ts';
import { givenToken } from '../given-token.ts';
import type { Output } from '../output.ts';
import { requireConfig } from '../require-config.ts';
import { sightOfToken, withOwn } from '../token-sight.ts';
import { visibleText } from '../visible-text.ts';

/** Each gate before a call, up to the one that stops it, with the fix. Exit code 1: one does. */
export async function explain(invocation: Invocation): Promise<number> {
  const { args, output, terminal } = invocation;
  const [tool = ''] = args;
  const callWith = argumentsOf(invocation);
  const loaded = await requireConfig(invocation, false);
  const { config } = loaded;
  const names = namesOf(invocation, config);
  const token = await givenToken(invocation, `cortex explain ${tool} --token - < token.txt`);
  if (callWith !== undefined && token === undefined)
    throw new UserError('--call needs the token of whoever calls', {
      next: `cortex explain ${tool} --call '{}' --token - < token.txt`,
    });
  const found = await output.during('reading the catalog', () =>
    findCatalog(loaded, terminal.environment.PATH ?? ''),
  );
  const isRunning = found.source === 'gateway';
  if (!isRunning) output.note('No gateway runs here; the backends were asked instead.');
  const sight = token === undefined ? undefined : await sightOfToken(loaded, token);
  const snapshot = withOwn(found.snapshot, sight?.own);
  const named = names.length === 0 ? everyScope(snapshot) : scopesNamed(names, config);
  const scopes = sight === undefined ? named : (sight.holder?.scopes ?? new Set<string>());
  const about = { config, snapshot: found.snapshot, scopes, backends: undefined, sight, now: Date.now() };

  const gates: CallGate[] = reservedNames.includes(tool) ? [ownTool] : [...gatesBefore(tool, about)];
  const isOpen = () => gates.every(({ isPassed }) => isPassed);
  const listed = snapshot.tools.get(snapshot.formerNames.get(tool) ?? tool);
  if (isOpen() && listed !== undefined) {
    gates.push(allowanceGate(config, listed.publicName, sight?.holder?.plan ?? names[0]));
    gates.push(identityGate(config, listed.backend, token));
    if (isOpen() && token !== undefined && isRunning) {
      const { inputSchema } = listed.definition.wire;
      gates.push(
        ...(await applicationGates({
          url: localUrl(config),
          token,
          tool: listed.publicName,
          owner: listed.backend,
          inputSchema: isJsonObject(inputSchema) ? inputSchema : {},
          args: callWith,
        })),
      );
    }
  }
  if (output.isJson) output.document({ tool, works: isOpen(), gates: gates.map((gate) => ({ ...gate })) });
  else show(output, gates, token !== undefined);
  return isOpen() ? exitCodes.done : exitCodes.no;
}

const ownTool: CallGate = {
  gate: 'listed',
  isPassed: true,
  detail: 'the gateway’s own tool: whoever is let in has it',
};

function show(output: Output, gates: readonly CallGate[], hasToken: boolean): void {
  const width = Math.max(...gates.map(({ gate }) => gate.length));
  for (const { gate, isPassed, detail, fix } of gates) {
    const mark = isPassed ? output.paint('green', 'pass') : output.paint('red', 'STOP');
    output.line(`${mark}  ${gate.padEnd(width)}  ${visibleText(detail).replaceAll('\n', ' ')}`);
    if (fix !== undefined) output.line(`${' '.repeat(width + 8)}fix: ${visibleText(fix)}`);
  }
  if (gates.some(({ isPassed }) => !isPassed)) return;
  output.note(
    hasToken
      ? 'Nothing stands in the way of this call.'
      : 'Nothing stands in its way for these scopes. As a person, with accounts and the application’s word: --token -',
  );
}

function namesOf({ options }: Invocation, config: Config): readonly string[] {
  const plan = options.text('plan');
  const names = [...(plan === undefined ? [] : [requirePlan(plan, config)]), ...options.list('scope')];
  if (names.length > 0 && options.text('token') !== undefined)
    throw new UserError('--token says which scopes are held: --scope and --plan say it too', {
      next: 'leave out one of the two',
    });
  return names;
}

function argumentsOf({ args, options }: Invocation): JsonObject | undefined {
  const text = options.text('call');
  if (text === undefined) return undefined;
  const parsed = parseJson(text);
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  throw new UserError('--call takes the arguments as a JSON object', {
    next: `cortex explain ${args[0] ?? 'TOOL'} --call '{"limit": 1}' --token -`,
  });
}

/** The gateway where it listens: the way from here to its public URL may be another than its clients'. */
function localUrl({ gateway }: Config): string {
  const { host, port } = gateway.listen;
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const path = new URL(gateway.url).pathname;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}${path}`;
}
