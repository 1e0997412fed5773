import { oauthErrorAnswer } from './answers.ts';
import { authenticateClient } from './client-authentication.ts';
import type { Endpoint, Parts } from './endpoint.ts';

/** The stream of revocations, for resource servers alone (HTTP Basic): it names users and sessions. */
export function createEventsEndpoint({ clients, feed }: Parts): Endpoint {
  return async ({ request, address }) => {
    const client = await authenticateClient(request, new Map(), clients, address);
    if (!client.ok || !client.value.isResourceServer)
      return oauthErrorAnswer({
        error: 'invalid_client',
        description: 'Only a resource server reads this stream.',
      });
    return feed.open(request.headers.get('last-event-id'));
  };
}
