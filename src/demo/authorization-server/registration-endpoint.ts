import { parseJson } from '#kernel/json.ts';
import { jsonAnswer, oauthErrorAnswer } from './answers.ts';
import { parseClientMetadata } from './client-metadata.ts';
import { seconds } from './database.ts';
import type { Endpoint, Parts } from './endpoint.ts';
import { readText } from './parameters.ts';
import { addressRange, createWindowLimiter } from './window-limiter.ts';

/** Dynamic client registration (RFC 7591), open to everybody and therefore bounded. */
export function createRegistrationEndpoint({ clients, clock, limits }: Parts): Endpoint {
  const perRange = createWindowLimiter(
    clock,
    limits.maxRegistrationsPerAddressRange,
    limits.limitWindowSeconds,
  );
  return async ({ request, address }) => {
    const text = await readText(request, limits.maxBodyBytes);
    const body = text === undefined ? undefined : parseJson(text);
    const metadata = parseClientMetadata(body?.ok ? body.value : undefined);
    if (!metadata.ok) return oauthErrorAnswer(metadata.error);
    const retryAfterSeconds = perRange.take(addressRange(address));
    if (retryAfterSeconds !== undefined)
      return jsonAnswer(
        { error: 'temporarily_unavailable', error_description: 'Too many registrations.' },
        429,
        {
          'retry-after': String(retryAfterSeconds),
        },
      );
    const registered = clients.register(metadata.value);
    if (registered === undefined)
      return oauthErrorAnswer({
        error: 'temporarily_unavailable',
        description: 'No more clients can be registered.',
      });
    const { name, redirectUris, authMethod, grantTypes, applicationType } = metadata.value;
    const { clientId, secret } = registered;
    return jsonAnswer(
      {
        client_id: clientId,
        client_id_issued_at: seconds(clock),
        ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
        client_name: name,
        redirect_uris: redirectUris,
        token_endpoint_auth_method: authMethod,
        grant_types: grantTypes,
        response_types: ['code'],
        application_type: applicationType,
      },
      201,
    );
  };
}
