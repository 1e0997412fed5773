import { rpcErrors } from '../../src/wire/rpc-errors.ts';
import {
  fixturePrompts,
  fixtureResources,
  fixtureTemplates,
  fixtureTools as toolList,
} from './fixture-catalog.ts';
import { text } from './fixture-content.ts';
import { answersOf, fixtureContents, fixturePrompt } from './fixture-reads.ts';
import { type FixtureCall, fixtureTools, isRecord } from './fixture-tools.ts';

/** What one request of MCP brings along beside its parameters. */
interface Peer extends Pick<FixtureCall, 'requestState' | 'clientCapabilities' | 'progress' | 'log'> {
  readonly inputResponses: unknown;
}

/** A JSON-RPC error, as both SDKs put it on the wire. */
class RequestError extends Error {
  readonly code: number;
  readonly data: object | undefined;

  constructor(code: number, message: string, data?: object) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The fixture's own state and its answers, whatever era they travel in. `changed` tells listeners of a list. */
export function createAnswers(options: {
  readonly resourceNotFound: number;
  changed(kind: 'tools' | 'prompts'): Promise<void>;
}) {
  const isShown = { tools: false, prompts: false };
  const toggle: FixtureCall['toggle'] = async (kind) => {
    isShown[kind] = !isShown[kind];
    await options.changed(kind);
  };

  /** The result of one request; a question of a tool or prompt is its result. */
  return async (
    method: string,
    params: Readonly<Record<string, unknown>>,
    peer: Peer,
  ): Promise<Readonly<Record<string, unknown>>> => {
    const call = (args: FixtureCall['params']): FixtureCall => ({
      ...peer,
      params: args,
      inputResponses: answersOf(peer.inputResponses),
      toggle,
    });
    switch (method) {
      case 'tools/list':
        return { tools: unscoped(toolList(isShown.tools)) };
      case 'prompts/list':
        return { prompts: unscoped(fixturePrompts(isShown.prompts)) };
      case 'resources/list':
        return { resources: unscoped(fixtureResources) };
      case 'resources/templates/list':
        return { resourceTemplates: unscoped(fixtureTemplates) };
      case 'completion/complete':
        return { completion: { values: [], total: 0, hasMore: false } };
      case 'resources/subscribe':
      case 'resources/unsubscribe':
      case 'logging/setLevel':
        return {};
      case 'resources/read': {
        const contents = fixtureContents(String(params.uri));
        if (contents !== undefined) return { contents };
        throw new RequestError(options.resourceNotFound, 'no such resource', { uri: params.uri });
      }
      case 'prompts/get': {
        const prompt = fixturePrompt(String(params.name), call(params));
        if (prompt !== undefined) return { ...prompt };
        throw new RequestError(rpcErrors.invalidParams, 'no such prompt');
      }
      case 'tools/call': {
        const tool = fixtureTools.get(String(params.name));
        if (tool === undefined) throw new RequestError(rpcErrors.invalidParams, 'no such tool');
        const said = await tool(call(isRecord(params.arguments) ? params.arguments : {}));
        return 'error' in said ? { content: [text(said.error)], isError: true } : { ...said };
      }
      default:
        throw new RequestError(rpcErrors.methodNotFound, `unknown method ${method}`);
    }
  };
}

/** Entries as MCP has them: scopes are the first-party contract's. */
function unscoped(entries: readonly object[]): readonly object[] {
  return entries.map((entry) => {
    const { scope: _, ...rest } = { scope: undefined, ...entry };
    return rest;
  });
}
