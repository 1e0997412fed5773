import type { BackendFailure, IdentityMode } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Wire, WireEvents, WireOwner, Wires } from './channel.ts';
import { createStdioBackoff } from './stdio-backoff.ts';
import { createStdioGuard } from './stdio-guard.ts';
import {
  type StdioCommand,
  type StdioExit,
  type StdioProcess,
  type StdioStartProblem,
  startStdioProcess,
} from './stdio-process.ts';
import { createStderrLog } from './stdio-stderr.ts';
import { createStdioWire, type StdioPipe } from './stdio-wire.ts';

/** One server that runs as a child of the gateway. */
export interface StdioServerOptions extends StdioCommand {
  readonly id: BackendId;
  /** One child for all, or one for each principal. */
  readonly process: 'shared' | 'principal';
  /** What its audit records say: a child gets no identity but what its environment holds. */
  readonly mode: Extract<IdentityMode, 'none' | 'static'>;
  /** Of one message from it. */
  readonly maxLineBytes: number;
  /** Of this server at once. */
  readonly maxChildren: number;
}

/** Every child process of the gateway, and the guard over them. */
export interface StdioHost {
  wires(options: StdioServerOptions): Wires;
  /** Stops every child that is left, then the guard. */
  close(): Promise<void>;
}

export interface StdioHostDeps {
  /** The gateway's own executable with the hidden command that runs the guard. */
  readonly guardCommand: readonly string[];
  /** Of all servers together. */
  readonly maxChildren: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly schedule: Schedule;
}

/** Where everyone shares one child. */
const sharedKey = '';

export function createStdioHost(deps: StdioHostDeps): StdioHost {
  const { log, clock } = deps;
  const guard = createStdioGuard(deps.guardCommand, log);
  const all = new Set<StdioProcess>();
  let isClosed = false;

  function wires(options: StdioServerOptions): Wires {
    const { id: server } = options;
    const backoff = createStdioBackoff(deps);
    const own = new Set<StdioProcess>();

    function open(owner: WireOwner, events: WireEvents): Result<Wire, BackendFailure> {
      const key = options.process === 'shared' ? sharedKey : (owner?.key ?? sharedKey);
      if (isClosed) return err(failure('cancelled'));
      const waitMs = backoff.waitMs(key);
      if (waitMs > 0) return err(pausing(waitMs));
      const [children, inAll] = [countOf(own), countOf(all)];
      if (children >= options.maxChildren || inAll >= deps.maxChildren) {
        log.warn('server.too_many_children', { server, children, inAll });
        return err(failure('busy', { message: 'Too many processes of this server are running.' }));
      }
      const startedAt = clock.monotonic();
      const pipe: StdioPipe = {
        send: (text) => child.send(text),
        stop: () => child.stop(),
        giveUp() {
          log.warn('server.given_up', { server, pid: child.pid });
          child.kill();
        },
      };
      const { wire, take, ended } = createStdioWire(options, pipe, events);
      const started = startStdioProcess(
        options,
        {
          stdout: take,
          stderr: createStderrLog(server, options.env, { log, clock }),
          exited(exit) {
            own.delete(child);
            all.delete(child);
            const livedMs = clock.monotonic() - startedAt;
            if (!exit.wasStopped) backoff.crashed(key, livedMs);
            logExit(server, child.pid, exit);
            ended();
          },
        },
        { guard, guardCommand: deps.guardCommand, schedule: deps.schedule },
      );
      if (!started.ok) {
        backoff.crashed(key, 0);
        log.error('server.not_started', { server, problem: started.error });
        return err(failure('unreachable', { message: startMessages[started.error] }));
      }
      const child = started.value;
      own.add(child);
      all.add(child);
      log.info('server.started', { server, pid: child.pid });
      return ok(wire);
    }

    return {
      isShared: options.process === 'shared',
      open: async (owner, events) => open(owner, events),
      close: async () => {
        await Promise.all([...own].map((child) => child.stop()));
      },
    };
  }

  function logExit(server: BackendId, pid: number, exit: StdioExit): void {
    const fields = { server, pid, code: exit.code, signal: exit.signal };
    if (exit.wasStopped) log.info('server.stopped', fields);
    else log.warn('server.crashed', fields);
  }

  return {
    wires,
    async close() {
      isClosed = true;
      await Promise.all([...all].map((child) => child.stop()));
      await guard.close();
    },
  };
}

/** One that is on its way out has given up its place. */
function countOf(children: ReadonlySet<StdioProcess>): number {
  return [...children].filter((child) => !child.isStopping()).length;
}

/** For agents: never a path. The log says more. */
const startMessages: Readonly<Record<StdioStartProblem, string>> = {
  not_found: 'The server could not be started: its program was not found.',
  no_guard: 'The server could not be started.',
  failed: 'The server could not be started.',
};

function pausing(waitMs: number): BackendFailure {
  return failure('unreachable', {
    message: 'The server has stopped repeatedly and gets a pause before it is started again.',
    retryAfterSeconds: Math.ceil(waitMs / 1_000),
  });
}
