import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut: by silence, which nobody is told of, or by death. */
export interface CuttableWay extends AsyncDisposable {
  readonly origin: string;
  /** `hangs`: connections stay open, and not a byte comes through. `is_dead`: they are reset, and new ones as well. */
  set(state: 'goes' | 'hangs' | 'is_dead'): void;
}

export async function createCuttableWay(port: number): Promise<CuttableWay> {
  let state: 'goes' | 'hangs' | 'is_dead' = 'goes';
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (state === 'is_dead') return void near.destroy();
    const far = connect(port, '127.0.0.1');
    keep(far);
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => void (state === 'goes' && to.write(bytes)));
      from.on('close', () => void (state !== 'hangs' && to.destroy()));
    };
    pass(near, far);
    pass(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the way has no port');
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    origin: `http://127.0.0.1:${address.port}`,
    set(next) {
      state = next;
      // What hung is of no use any more: some of its bytes are lost.
      if (next !== 'hangs') endAll();
    },
    async [Symbol.asyncDispose]() {
      endAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
