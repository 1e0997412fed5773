import type { JsonObject } from '#kernel/json.ts';
import { allRevisions, type Era } from '#wire/protocol.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';

/** Every way in which the edge says no. The reason goes to log and audit; `wireAnswer` decides what the client reads. */
export type Refusal =
  | { readonly reason: 'body_too_large' }
  | { readonly reason: 'content_type_unsupported' }
  | { readonly reason: 'not_acceptable' }
  | { readonly reason: 'body_not_json' }
  | { readonly reason: 'message_malformed' }
  | { readonly reason: 'batch_refused' }
  | { readonly reason: 'header_mismatch'; readonly detail: string }
  | { readonly reason: 'meta_missing'; readonly key: string }
  | { readonly reason: 'version_unsupported'; readonly requested: string }
  | { readonly reason: 'capability_missing'; readonly required: JsonObject }
  | { readonly reason: 'method_unknown'; readonly method: string }
  | { readonly reason: 'verb_refused' }
  | { readonly reason: 'params_invalid'; readonly detail: string }
  | { readonly reason: 'choice_invalid'; readonly detail: string }
  | { readonly reason: 'cursor_invalid' }
  | { readonly reason: 'tool_unknown'; readonly name: string }
  | { readonly reason: 'prompt_unknown'; readonly name: string }
  | { readonly reason: 'resource_unknown'; readonly uri: string }
  | {
      readonly reason: 'quarantined';
      readonly what: 'tool' | 'prompt' | 'resource';
      /** Its public name, or the URI asked for. */
      readonly name: string;
    }
  | { readonly reason: 'revoked' }
  | { readonly reason: 'scope_missing'; readonly scopes: readonly string[] }
  | { readonly reason: 'state_invalid' }
  | {
      readonly reason: 'link_required';
      readonly message: string;
      /** For legacy clients that can be sent to a page; undefined: the link is in the message alone. */
      readonly elicitation: JsonObject | undefined;
    }
  | { readonly reason: 'session_required' }
  | { readonly reason: 'session_gone' }
  | { readonly reason: 'stream_limit' }
  | { readonly reason: 'rate_limited'; readonly retryAfterSeconds: number }
  | { readonly reason: 'audit_unavailable' }
  | { readonly reason: 'backend_failed'; readonly message: string }
  | { readonly reason: 'fault'; readonly id: string };

export type RefusalReason = Refusal['reason'];

export interface WireAnswer {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly data: JsonObject | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const none: Readonly<Record<string, string>> = {};

function answer(
  status: number,
  code: number,
  message: string,
  data?: JsonObject,
  headers: Readonly<Record<string, string>> = none,
): WireAnswer {
  return { status, code, message, data, headers };
}

/**
 * The one switch from a private reason to what the client reads. The HTTP status of method-level refusals is 200 where
 * the revision prescribes none. Sources: MCP 2026-07-28 streamable-http "Server Validation", basic/versioning; 2025-11-25 basic/transports.
 */
export function wireAnswer(refusal: Refusal, era: Era): WireAnswer {
  switch (refusal.reason) {
    case 'body_too_large':
      return answer(413, rpcErrors.invalidRequest, 'The request body is too large');
    case 'content_type_unsupported':
      return answer(415, rpcErrors.invalidRequest, 'Content-Type must be application/json');
    case 'not_acceptable':
      return answer(406, rpcErrors.invalidRequest, 'Accept must allow text/event-stream');
    case 'body_not_json':
      return answer(400, rpcErrors.parseError, 'Parse error: the body is not JSON');
    case 'message_malformed':
      return answer(400, rpcErrors.invalidRequest, 'The body is not one JSON-RPC 2.0 message');
    case 'batch_refused':
      return answer(
        400,
        rpcErrors.invalidRequest,
        'One message a body: batches exist in revision 2025-03-26 only',
      );
    case 'header_mismatch':
      return answer(400, rpcErrors.headerMismatch, `Header mismatch: ${refusal.detail}`);
    case 'meta_missing':
      return answer(400, rpcErrors.invalidParams, `Missing or malformed _meta key ${refusal.key}`);
    case 'version_unsupported':
      return answer(400, rpcErrors.unsupportedProtocolVersion, 'Unsupported protocol version', {
        supported: [...allRevisions],
        requested: refusal.requested,
      });
    case 'capability_missing':
      return answer(400, rpcErrors.missingClientCapability, 'The client lacks a capability that this needs', {
        requiredCapabilities: refusal.required,
      });
    case 'method_unknown':
      return answer(
        era === 'modern' ? 404 : 200,
        rpcErrors.methodNotFound,
        `Method not found: ${refusal.method}`,
      );
    case 'verb_refused':
      return answer(405, rpcErrors.invalidRequest, 'Method not allowed', undefined, { allow: 'POST' });
    case 'params_invalid':
      return answer(
        era === 'modern' ? 400 : 200,
        rpcErrors.invalidParams,
        `Invalid params: ${refusal.detail}`,
      );
    case 'choice_invalid':
      return answer(400, rpcErrors.invalidParams, `Invalid choice: ${refusal.detail}`);
    case 'cursor_invalid':
      return answer(200, rpcErrors.invalidParams, 'Invalid cursor');
    case 'tool_unknown':
      return answer(200, rpcErrors.invalidParams, `Unknown tool: ${refusal.name}`);
    case 'prompt_unknown':
      return answer(200, rpcErrors.invalidParams, `Unknown prompt: ${refusal.name}`);
    case 'resource_unknown':
      return answer(
        200,
        era === 'modern' ? rpcErrors.invalidParams : rpcErrors.resourceNotFound,
        'Resource not found',
        { uri: refusal.uri },
      );
    case 'quarantined':
      return answer(
        200,
        rpcErrors.serverError,
        `The ${refusal.what} ${refusal.name} is quarantined: its definition is not the one that was approved. An operator has to look at it`,
        { reason: 'quarantined' },
      );
    case 'revoked':
      return answer(401, rpcErrors.serverError, 'The access token was revoked. Get a new one.');
    case 'scope_missing':
      return answer(403, rpcErrors.serverError, 'Insufficient scope', { scopes: [...refusal.scopes] });
    case 'state_invalid':
      return answer(
        era === 'modern' ? 400 : 200,
        rpcErrors.invalidParams,
        'Invalid requestState: start the request again without it',
      );
    case 'link_required':
      return era === 'legacy' && refusal.elicitation !== undefined
        ? answer(200, rpcErrors.urlElicitationRequired, refusal.message, {
            elicitations: [refusal.elicitation],
          })
        : answer(200, rpcErrors.internalError, refusal.message);
    case 'session_required':
      return answer(400, rpcErrors.serverError, 'Mcp-Session-Id is required: send initialize first');
    case 'session_gone':
      return answer(404, rpcErrors.serverError, 'Session not found: send initialize again');
    case 'stream_limit':
      return answer(429, rpcErrors.serverError, 'Too many open streams: close one first', undefined, {
        'retry-after': '30',
      });
    case 'rate_limited':
      return answer(
        429,
        rpcErrors.serverError,
        `Rate limit reached: try again in ${refusal.retryAfterSeconds} s`,
        { retryAfterSeconds: refusal.retryAfterSeconds },
        { 'retry-after': String(refusal.retryAfterSeconds) },
      );
    case 'audit_unavailable':
      return answer(
        503,
        rpcErrors.internalError,
        'The audit log cannot be written: calls are refused until it can',
      );
    case 'backend_failed':
      return answer(200, rpcErrors.internalError, refusal.message);
    case 'fault':
      return answer(500, rpcErrors.internalError, `Internal error ${refusal.id}`);
  }
}
