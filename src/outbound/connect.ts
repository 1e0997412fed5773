import type { LookupAddress } from 'node:dns';
import type { Socket, SocketHandler } from 'bun';
import { type Connection, type ConnectionEvents, createConnection, type SocketEvents } from './connection.ts';
import type { OutboundFailure } from './outbound.ts';
import type { Target } from './target.ts';
import type { TransportOptions } from './transport.ts';

/** What becomes of a connection that is being made; one of the two is called, once. */
export interface Connecting {
  opened(connection: Connection): void;
  failed(reason: OutboundFailure['reason'], detail: string): void;
}

/** Hangs on a socket. */
interface Line {
  readonly isTls: boolean;
  socket: Socket<Line> | undefined;
  connection: SocketEvents | undefined;
  /** A request may be written. */
  ready(socket: Socket<Line>): void;
  failed(reason: OutboundFailure['reason'], detail: string): void;
}

/** Of every socket. Over TLS nothing is written before the server's certificate has been checked. */
const handlers: SocketHandler<Line> = {
  open(socket) {
    socket.data.socket = socket;
    if (!socket.data.isTls) socket.data.ready(socket);
  },
  handshake(socket, isTrusted, error) {
    if (isTrusted) socket.data.ready(socket);
    else socket.data.failed('unreachable', codeOf(error));
  },
  data(socket, chunk) {
    socket.data.connection?.received(chunk);
  },
  drain(socket) {
    socket.data.connection?.drained();
  },
  end(socket) {
    socket.data.connection?.ended();
  },
  error(socket, error) {
    socket.data.connection?.closed(codeOf(error));
  },
  close(socket, error) {
    socket.data.failed('unreachable', codeOf(error));
    socket.data.connection?.closed(codeOf(error));
  },
};

/** Makes a connection: name, TCP and, for https, TLS with the certificate checked against the name. */
export async function connect(
  target: Target,
  options: TransportOptions,
  connecting: Connecting,
  events: ConnectionEvents,
): Promise<void> {
  let isSettled = false;
  const settle = (): boolean => {
    if (isSettled) return false;
    isSettled = true;
    clearTimeout(timer);
    return true;
  };
  const failed: Line['failed'] = (reason, detail) => {
    if (!settle()) return;
    line.socket?.terminate();
    connecting.failed(reason, detail);
  };
  const timer = setTimeout(() => failed('timeout', 'connect'), options.connectTimeoutMs).unref();
  const line: Line = {
    isTls: target.isTls,
    socket: undefined,
    connection: undefined,
    failed,
    ready(socket) {
      if (!settle()) return void socket.terminate();
      const connection = createConnection(socket, options.maxHeadBytes, events);
      line.connection = connection;
      connecting.opened(connection);
    },
  };
  const tls = target.isTls && {
    serverName: target.hostname,
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  };
  let last: unknown;
  try {
    for (const hostname of await addressesOf(target.hostname, options)) {
      if (isSettled) return;
      try {
        await Bun.connect({ hostname, port: target.port, tls, data: line, socket: handlers });
        return;
      } catch (error) {
        last = error;
      }
    }
  } catch (error) {
    last = error;
  }
  failed('unreachable', codeOf(last));
}

/** The host as it is, for the system to resolve, or what the given look-up makes of it. */
async function addressesOf(hostname: string, options: TransportOptions): Promise<readonly string[]> {
  const { lookup } = options;
  if (lookup === undefined) return [hostname];
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, found: string | LookupAddress[]) => {
      if (error) reject(error);
      else resolve(typeof found === 'string' ? [found] : found.map(({ address }) => address));
    });
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'closed';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
