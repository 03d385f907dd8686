/** What an operator has of a running daemon: the control socket, and metrics where they are wanted. */
import { ControlSocket } from '../../ops/control-socket.js';
import { Metrics, type MetricsPlace } from '../../ops/metrics.js';
import { processFamilies } from '../../ops/process-figures.js';
import { control } from '../control/control.js';
import type { ControlHost } from '../control/host.js';
import { Vitals } from '../control/vitals.js';
import { healthOf } from '../control/watching.js';
import { Drain } from '../drain.js';
import { familiesOf } from '../families.js';
import type { Log } from '../log.js';
import type { Server } from '../server.js';

export type Able = Pick<ControlHost, 'reload' | 'setDebug'>;

export interface Operating extends Able {
  readonly server: Server;
  readonly version: string;
  /** ms since 1970 */
  readonly started: number;
  /** path of the control socket */
  readonly control: string;
  /** where metrics are given; undefined: nowhere */
  readonly metrics: MetricsPlace | undefined;
  readonly log: Log;
}

export interface Operated {
  readonly server: Server;
  /** Resolves when somebody asked for a drain, and it is over. */
  readonly drained: Promise<string>;
  /** A sync of the disk ended, after so many ms. */
  synced(ms: number): void;
  close(): Promise<void>;
}

/** @throws SocketRefusal; what else the system says */
export async function operate(operating: Operating): Promise<Operated> {
  const { server, version, started, control: path, log, reload, setDebug } = operating;
  const vitals = new Vitals(server);
  const drain = new Drain(server);
  let diskFailed = false;
  void server.context.store.failed.then(() => {
    diskFailed = true;
  });
  const host = { server, version, started, vitals, drain, diskFailed: () => diskFailed, reload, setDebug };
  const socket = await ControlSocket.start(path, {
    serve: (request, rows) => control(host, request, rows),
    log: (what) => {
      log.warn('control socket', { what });
    },
  });
  const close = async (): Promise<void> => {
    drain.close();
    vitals.close();
    await socket.close();
  };
  const metrics = operating.metrics && (await startMetrics(operating.metrics, server, host, log).catch(closing(close)));
  return {
    server,
    drained: drain.over,
    synced: (ms) => {
      vitals.synced(ms);
      metrics?.synced(ms);
    },
    close: async () => {
      await metrics?.close();
      await close();
    },
  };
}

/** Of two that belong together the second has failed. */
function closing(close: () => Promise<void>): (error: unknown) => Promise<never> {
  return async (error) => {
    await close();
    throw error;
  };
}

function startMetrics(place: MetricsPlace, server: Server, host: ControlHost, log: Log): Promise<Metrics> {
  return Metrics.start(place, {
    version: host.version,
    families: [...familiesOf(server), ...processFamilies],
    health: () => healthOf(host),
    log: (what) => {
      log.warn('metrics', { what });
    },
  });
}
