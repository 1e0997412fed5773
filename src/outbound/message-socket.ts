import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { err, ok, type Result } from '#kernel/result.ts';

/** Where one-way messages go. `unix` is a stream socket: neither Bun nor Node can speak to a datagram one. */
export type MessageTarget =
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Sends messages that nobody answers. */
export interface MessageSocket {
  /** Resolves when the system has taken them all, at the latest after `timeoutMs`. The error is a short cause. */
  send(messages: readonly Buffer[], timeoutMs: number): Promise<Result<void, string>>;
  close(): void;
}

/**
 * One message a datagram; on a stream each with its length before it (RFC 6587 section 3.4.1). Connects when needed. `ca`: PEM
 * certificates to trust over TLS in place of the system's.
 */
export function createMessageSocket(
  target: MessageTarget,
  options: { readonly ca?: string } = {},
): MessageSocket {
  return target.kind === 'udp' ? createDatagrams(target) : createStream(target, options.ca);
}

type UdpTarget = Extract<MessageTarget, { kind: 'udp' | 'tcp' | 'tls' }>;

function createDatagrams({ host, port }: UdpTarget): MessageSocket {
  let socket: UdpSocket | undefined;
  /** A connected socket hears when nobody listens, but only after a message went out. */
  let failed: string | undefined;

  const drop = (error?: Error): void => {
    failed = error === undefined ? undefined : causeOf(error);
    socket?.close();
    socket = undefined;
  };
  const open = async (): Promise<UdpSocket> => {
    if (socket !== undefined) return socket;
    // The platform takes a name that is nobody's for connected.
    const { address, family } = await lookup(host);
    const fresh = createSocket(family === 6 ? 'udp6' : 'udp4');
    socket = fresh;
    fresh.unref();
    await new Promise<void>((resolve, reject) => {
      fresh.once('error', reject);
      fresh.connect(port, address, () => resolve());
    });
    fresh.removeAllListeners('error');
    fresh.on('error', drop);
    return fresh;
  };

  return {
    async send(messages, timeoutMs) {
      const work = async (): Promise<void> => {
        for (const message of messages) {
          const to = await open();
          await new Promise<void>((resolve, reject) =>
            to.send(message, (error) => (error ? reject(error) : resolve())),
          );
        }
        // An answer of "nobody listens" comes a moment later.
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (failed !== undefined) throw new Error(failed);
      };
      failed = undefined;
      return within(work(), timeoutMs, drop);
    },
    close: () => drop(),
  };
}

function createStream(target: MessageTarget, ca: string | undefined): MessageSocket {
  let socket: Socket | undefined;
  const drop = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  const open = async (): Promise<Socket> => {
    if (socket !== undefined && !socket.destroyed && socket.writable) return socket;
    drop();
    const fresh = connectTo(target, ca);
    socket = fresh;
    fresh.unref();
    await new Promise<void>((resolve, reject) => {
      // The last two stay, and mean nothing any more once it is connected.
      fresh.once(target.kind === 'tls' ? 'secureConnect' : 'connect', () => resolve());
      fresh.once('error', reject);
      fresh.once('close', () => reject(new Error('closed')));
    });
    // What a collector says is not listened to, but must be read, or its end would not be seen.
    fresh.resume();
    const forget = (): void => {
      if (socket === fresh) drop();
    };
    fresh.on('error', forget);
    fresh.on('end', forget);
    fresh.on('close', forget);
    return fresh;
  };

  return {
    async send(messages, timeoutMs) {
      const work = async (): Promise<void> => {
        const to = await open();
        const frames = messages.map((message) => Buffer.concat([Buffer.from(`${message.length} `), message]));
        let closed: (() => void) | undefined;
        await new Promise<void>((resolve, reject) => {
          closed = () => reject(new Error('closed'));
          to.once('close', closed);
          to.write(Buffer.concat(frames), (error) => (error ? reject(error) : resolve()));
        }).finally(() => closed && to.off('close', closed));
      };
      return within(work(), timeoutMs, drop);
    },
    close: drop,
  };
}

function connectTo(target: MessageTarget, ca: string | undefined): Socket {
  if (target.kind === 'unix') return netConnect(target.path);
  const { host, port } = target;
  if (target.kind === 'tcp') return netConnect(port, host);
  const trust = ca === undefined ? {} : { ca };
  return tlsConnect({ host, port, ...trust, ...(isIP(host) === 0 && { servername: host }) });
}

async function within(
  work: Promise<void>,
  timeoutMs: number,
  drop: () => void,
): Promise<Result<void, string>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('timeout')), timeoutMs);
  });
  try {
    await Promise.race([work, deadline]);
    return ok(undefined);
  } catch (error) {
    drop();
    return err(causeOf(error));
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
