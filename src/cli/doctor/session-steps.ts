import { isJsonObject, isStringArray, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { reservedNames } from '#mcp/builtins/definitions.ts';
import { mcpHeaders } from '#wire/protocol.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { count } from '../output.ts';
import {
  type Finding,
  fail,
  type Known,
  ok,
  type Step,
  type StepDeps,
  unreachable,
  warn,
} from './finding.ts';
import { admissionFault } from './http-fault.ts';
import type { Answer } from './probe.ts';
import { proxyLines } from './proxy-lines.ts';
import { errorOf, initializeRpc, modernRpc, type RpcRequest, resultOf } from './rpc.ts';

/** What a client does once it has a token. */
export const sessionSteps: readonly Step[] = [
  { name: 'initialize', run: initialize },
  { name: 'discover', run: discover },
  { name: 'list', run: list },
  { name: 'call', run: call },
];

type Asked =
  | { readonly result: JsonObject; readonly answer: Answer; readonly fault?: never }
  | { readonly fault: Finding };

async function ask(known: Known, { probe }: StepDeps, { headers, body }: RpcRequest): Promise<Asked> {
  const answer = await probe('POST', known.url, { headers, body });
  if (!answer.ok)
    return { fault: unreachable(`no answer: ${answer.error}`, 'look at the proxy, and its time-outs') };
  const result = resultOf(answer.value.json);
  if (result !== undefined) return { result, answer: answer.value };
  return { fault: rpcFault(answer.value, known) };
}

function rpcFault(answer: Answer, known: Known): Finding {
  const error = answer.json?.error;
  if (!isJsonObject(error)) return admissionFault(answer, known);
  const found = `the gateway answered ${errorOf(answer.json)}`;
  if (error.code === rpcErrors.headerMismatch)
    return fail(found, 'have the proxy pass the headers Mcp-Method, Mcp-Name and MCP-Protocol-Version on', {
      proxyLines: proxyLines('mcp_headers', known.proxy),
    });
  if (error.code === rpcErrors.unsupportedProtocolVersion)
    return fail(found, 'the gateway is older than this command: upgrade it');
  return fail(found, 'docs/protocol-errors.md says what it means');
}

/** As clients of the three older revisions begin. */
async function initialize(known: Known, deps: StepDeps): Promise<Finding> {
  const asked = await ask(known, deps, initializeRpc(known));
  if (asked.fault !== undefined) return asked.fault;
  const session = asked.answer.header(mcpHeaders.session);
  if (session === undefined)
    return fail('the answer has no Mcp-Session-Id', 'have the proxy pass the header Mcp-Session-Id on', {
      proxyLines: proxyLines('session_header', known.proxy),
    });
  return ok(`revision ${stringAt(asked.result, 'protocolVersion') ?? '?'}, with a session`, {
    learned: { session },
  });
}

/** As clients of the newer revisions begin. */
async function discover(known: Known, deps: StepDeps): Promise<Finding> {
  const asked = await ask(known, deps, modernRpc(known, 'server/discover'));
  if (asked.fault !== undefined) return asked.fault;
  const versions = asked.result.supportedVersions;
  return ok(isStringArray(versions) ? `speaks ${versions.join(', ')}` : 'answers without a session');
}

async function list(known: Known, deps: StepDeps): Promise<Finding> {
  const asked = await ask(known, deps, modernRpc(known, 'tools/list'));
  if (asked.fault !== undefined) return asked.fault;
  const { tools } = asked.result;
  const names = (Array.isArray(tools) ? tools : [])
    .filter(isJsonObject)
    .map((tool) => stringAt(tool, 'name') ?? '?');
  const own = names.filter((name) => !reservedNames.includes(name));
  const more = asked.result.nextCursor === undefined ? '' : ', and more on the next page';
  if (own.length > 0) return ok(`${count(own.length, 'tool')}${more}`, { details: [shortened(own)] });
  return warn(
    'the list is empty but for the gateway’s own tools',
    'see which gate hides them: cortex catalog --scope ... with the scopes of this token, and --why TOOL',
  );
}

const shownNames = 8;

function shortened(names: readonly string[]): string {
  const rest = names.length - shownNames;
  return `${names.slice(0, shownNames).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** `whoami` changes nothing, and asks each application who the caller is to it. */
async function call(known: Known, deps: StepDeps): Promise<Finding> {
  const asked = await ask(known, deps, modernRpc(known, 'tools/call', { name: 'whoami', arguments: {} }));
  if (asked.fault !== undefined) return asked.fault;
  const said = structuredOf(asked.result);
  if (asked.result.isError === true || said === undefined)
    return fail('whoami was answered with an error', 'look at the log of the gateway');
  const applications = isJsonObject(said.applications) ? Object.entries(said.applications) : [];
  const details = applications.map(([id, answer]) => `${id}: ${wordOn(answer)}`);
  const silent = applications.filter(
    ([, answer]) => isJsonObject(answer) && answer.unavailable !== undefined,
  );
  const found = `whoami: ${stringAt(said, 'subject') ?? '?'}, plan ${stringAt(said, 'plan') ?? 'none'}`;
  if (silent.length === 0) return ok(found, { details });
  return warn(
    `${found}; ${silent.map(([id]) => id).join(', ')} did not say who this is there`,
    'cortex doctor --config FILE looks at each application; docs/backend-errors.md has the reasons',
    { details },
  );
}

function structuredOf({ structuredContent, content }: JsonObject): JsonObject | undefined {
  if (isJsonObject(structuredContent)) return structuredContent;
  const [first] = Array.isArray(content) ? content : [];
  const parsed = parseJson(isJsonObject(first) ? (stringAt(first, 'text') ?? '') : '');
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined;
}

function wordOn(answer: unknown): string {
  if (!isJsonObject(answer)) return 'answers';
  if (answer.unavailable !== undefined) return `does not answer (${String(answer.unavailable)})`;
  return answer.link === undefined ? 'knows the caller' : 'no account is linked yet';
}
