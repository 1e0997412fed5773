import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { err, ok, type Result } from '#kernel/result.ts';

/** What a handshake shows of a server. */
export interface TlsSight {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** Why a client would not go on, as OpenSSL's code; undefined: it would. */
  readonly problem: string | undefined;
  /** Milliseconds since the epoch. */
  readonly validUntil: number | undefined;
  /** Names that the certificate is for. */
  readonly names: readonly string[];
  readonly issuer: string | undefined;
}

export interface TlsTarget {
  /** What the certificate has to be for. */
  readonly name: string;
  /** Where it is asked: the name again, or one of its addresses. */
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** Looks at a server's certificate without sending a request; the error is a code such as `ECONNREFUSED`. */
export type InspectTls = (target: TlsTarget) => Promise<Result<TlsSight, string>>;

export const inspectTls: InspectTls = ({ name, host, port, timeoutMs }) =>
  new Promise((resolve) => {
    const settle = (outcome: Result<TlsSight, string>) => {
      socket.destroy();
      resolve(outcome);
    };
    // Refused only after it was looked at: what is wrong is the answer.
    const socket = connect(
      {
        host,
        port,
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
        ...(isIP(name) === 0 && { servername: name }),
      },
      () => settle(ok(sightOf(socket))),
    );
    socket.setTimeout(timeoutMs, () => settle(err('timeout')));
    socket.on('error', (error) =>
      settle(err('code' in error && typeof error.code === 'string' ? error.code : error.message)),
    );
  });

function sightOf(socket: ReturnType<typeof connect>): TlsSight {
  const certificate = socket.getPeerCertificate();
  const until = Date.parse(certificate.valid_to ?? '');
  const { authorizationError } = socket;
  const code = authorizationError instanceof Error ? authorizationError.message : authorizationError;
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    problem: socket.authorized ? undefined : String(code),
    validUntil: Number.isNaN(until) ? undefined : until,
    names: (certificate.subjectaltname ?? '').split(', ').filter((name) => name !== ''),
    issuer: nameIn(certificate.issuer),
  };
}

function nameIn(issuer: { readonly CN?: string | string[]; readonly O?: string | string[] } | undefined) {
  const [name] = [issuer?.CN, issuer?.O].filter((one) => typeof one === 'string');
  return name;
}
