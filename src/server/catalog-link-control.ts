import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import type { ControlHandlers } from './control.ts';

const maxBodyBytes = 4 * 1024;

/** Linking the account that a server's lists are read with: only whoever reaches the control socket may begin it. */
export interface CatalogLink {
  /** The page where it is linked, good once, for ten minutes; undefined where no such server links accounts. */
  start(server: string): Promise<string | undefined>;
  /** `{state, account, linked_at}`, as `GET /link/<server>/status` says it. */
  status(server: string): Promise<JsonObject | undefined>;
}

/** `POST /catalog-link/start` and `/catalog-link/status` with `{server}`; 409 with `{message}` where there is no such server. */
export function catalogLinkHandlers(link: CatalogLink): ControlHandlers {
  async function answer(
    request: Request,
    act: (server: string) => Promise<JsonObject | undefined>,
  ): Promise<Response> {
    const text = await request.text();
    const input = text.length > maxBodyBytes ? undefined : parseJson(text);
    const server = input?.ok && isJsonObject(input.value) ? stringAt(input.value, 'server') : undefined;
    const body = server === undefined ? undefined : await act(server);
    if (body !== undefined) return Response.json(body);
    const message = `no server ${server ?? ''} reads its lists with a linked account (identity: linked, list: shared)`;
    return Response.json({ message }, { status: 409 });
  }
  return {
    'POST /catalog-link/start': (request) =>
      answer(request, async (server) => {
        const url = await link.start(server);
        return url === undefined ? undefined : { url };
      }),
    'POST /catalog-link/status': (request) => answer(request, link.status),
  };
}
