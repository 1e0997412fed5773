const lowest = 20_000;
const highest = 32_000;

/** A free loopback port below the ephemeral range, so that no outgoing connection takes it in between. */
export function freePort(): number {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (isFree(port)) return port;
  }
  throw new Error('no free port was found');
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}
