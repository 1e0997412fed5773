import { deploy, type Fault } from '../../cli/deployment.ts';
import type { MakeWorld, World } from './world.ts';

async function deployed(fault: Fault): Promise<World> {
  const deployment = await deploy({ ...fault, isDirect: true });
  const { url, issuer, config, token } = deployment;
  return {
    names: { url, issuer, config, token, origin: new URL(url).origin },
    [Symbol.asyncDispose]: () => deployment[Symbol.asyncDispose](),
  };
}

/** A proxy that lets a 401 pass without its header. */
async function dropsChallenge(): Promise<World> {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('no', { status: 401, headers: { server: 'nginx' } }),
  });
  return {
    names: { url: `http://127.0.0.1:${server.port}/mcp` },
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** Gateways as a client finds them; names: `url`, `issuer`, `config`, `token`, `origin`. */
export const deployments: Readonly<Record<string, MakeWorld>> = {
  deployment: () => deployed({}),
  'deployment-without-s256': () => deployed({ metadata: { code_challenge_methods_supported: undefined } }),
  'deployment-with-application-down': () => deployed({ isBackendDown: true }),
  'challenge-dropped': dropsChallenge,
};
