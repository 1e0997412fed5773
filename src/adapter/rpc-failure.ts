import type { BackendFailure } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';

const maxMessageLength = 4_000;

/** Errors between a server and us; to the agent they would speak of a hop that it does not see (R30). */
const hopCodes: ReadonlySet<unknown> = new Set([
  rpcErrors.headerMismatch,
  rpcErrors.missingClientCapability,
  rpcErrors.unsupportedProtocolVersion,
]);

/** What a server's JSON-RPC error is to the agent: its own words, never its code. */
export function rpcFailure(error: JsonObject): BackendFailure {
  const { code } = error;
  if (hopCodes.has(code)) {
    return failure('business_error', {
      message: 'The server and the gateway did not understand each other.',
    });
  }
  const said = stringAt(error, 'message');
  const message = said === undefined || said === '' ? undefined : said.slice(0, maxMessageLength);
  const body = isJsonObject(error.data) ? error.data : undefined;
  switch (code) {
    case rpcErrors.resourceNotFound:
      return failure('invalid', { status: 404, message, body });
    case rpcErrors.invalidParams:
      // The modern era's missing resource is known by the URI that it names.
      return failure('invalid', { status: typeof body?.uri === 'string' ? 404 : 400, message, body });
    case rpcErrors.methodNotFound:
      return failure('unsupported', { message });
    default:
      return failure('business_error', { message, body });
  }
}
