/** What an operator has of a running daemon: the control socket.  */
import { join } from 'node:path';
import { ControlSocket } from '../../ops/control-socket.js';
import { control } from '../control/control.js';
import type { ControlHost } from '../control/host.js';
import { Vitals } from '../control/vitals.js';
import { Drain } from '../drain.js';
import type { Log } from '../log.js';
import type { Server } from '../server.js';

/** Of the control socket in the folder of the network's data. */
export const CONTROL_NAME = 'control.sock';
/** In the folder that systemd makes for the service. */
const RUNTIME_NAME = 'control';

/** Where the control socket is, unless it is said. @param dataFolder the network's */
export function controlPath(given: string | undefined, dataFolder: string): string {
  /* Of several, the first: systemd separates them by colons. */
  const [runtime = ''] = (process.env['RUNTIME_DIRECTORY'] ?? '').split(':');
  return given ?? (runtime === '' ? join(dataFolder, CONTROL_NAME) : join(runtime, RUNTIME_NAME));
}

export type Able = Pick<ControlHost, 'reload' | 'setDebug'>;

export interface Operating extends Able {
  readonly server: Server;
  readonly version: string;
  /** ms since 1970 */
  readonly started: number;
  /** path of the control socket */
  readonly control: string;
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
export async function operate({ server, version, started, control: path, log, ...able }: Operating): Promise<Operated> {
  const { reload, setDebug } = able;
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
  return {
    server,
    drained: drain.over,
    synced: (ms) => {
      vitals.synced(ms);
    },
    close: async () => {
      drain.close();
      vitals.close();
      await socket.close();
    },
  };
}
