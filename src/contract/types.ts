import type { JsonObject } from '#kernel/json.ts';

/**
 * One tool as a backend lists it. `wire` is the MCP tool object as it goes to clients, verbatim except that
 * `params` shorthand became `inputSchema` and the contract's own keys (`scope`, `params`, `version`,
 * `deprecated`) are gone; it holds no `name`.
 */
export interface ToolDefinition {
  readonly name: string;
  /** All are needed; empty means: not listed to anyone. */
  readonly scopes: readonly string[];
  readonly wire: JsonObject;
  readonly description: string | undefined;
  readonly inputSchema: JsonObject;
  readonly hasOutputSchema: boolean;
  readonly isReadOnly: boolean;
  readonly isIdempotent: boolean;
  readonly version: string | undefined;
  readonly deprecated: JsonObject | undefined;
}

/** `wire` holds no `name`. */
export interface PromptDefinition {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly wire: JsonObject;
}

/** `wire` is complete, `uri` included. */
export interface ResourceDefinition {
  readonly uri: string;
  readonly scopes: readonly string[];
  readonly wire: JsonObject;
}

/** `wire` is complete, `uriTemplate` included. */
export interface ResourceTemplateDefinition {
  readonly uriTemplate: string;
  readonly scopes: readonly string[];
  readonly wire: JsonObject;
}

/** Everything a backend offers, the same for every user. */
export interface BackendCatalog {
  readonly tools: readonly ToolDefinition[];
  readonly prompts: readonly PromptDefinition[];
  readonly resources: readonly ResourceDefinition[];
  readonly resourceTemplates: readonly ResourceTemplateDefinition[];
}
