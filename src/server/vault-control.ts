import { isJsonObject, parseJson } from '#kernel/json.ts';
import type { VaultAction, VaultDesk } from '#vault/vault-desk.ts';
import type { ControlHandlers } from './control.ts';

const actions: readonly VaultAction[] = ['list', 'unlink', 'rotate', 'status', 'erase'];
const maxBodyBytes = 64 * 1024;

/** `POST /vault/<action>`: JSON in and out; 409 with `{reason, message}` where nothing was done. */
export function vaultHandlers(desk: VaultDesk): ControlHandlers {
  return Object.fromEntries(
    actions.map((action) => [
      `POST /vault/${action}`,
      async (request: Request) => {
        const text = await request.text();
        const input = text.length > maxBodyBytes ? undefined : parseJson(text);
        if (!input?.ok || !isJsonObject(input.value)) {
          return Response.json(
            { reason: 'incomplete', message: 'the body is no JSON object' },
            { status: 400 },
          );
        }
        const outcome = await desk.handle(action, input.value);
        return outcome.ok ? Response.json(outcome.value) : Response.json(outcome.error, { status: 409 });
      },
    ]),
  );
}
