/** Asking a daemon that runs: where its control socket is, and what is said where nobody answers. */
import { ControlClient, ControlError } from '../../ops/control-client.js';
import { errorCode } from '../../store/journal/disk.js';
import type { ControlCommand, ControlRequest } from '../control/control.js';
import { controlPath } from '../control-path.js';
import { folderOf, Mistake, type Where } from './common.js';

/** Where the service of deploy/ has it. */
const SERVICE_SOCKET = '/run/cadenas/control';

export interface Asked extends Where {
  /** path of the socket, where it was named */
  readonly control?: string | undefined;
  /** The network was named: no other one's daemon is meant. */
  readonly isNamed: boolean;
}

export class Daemon {
  readonly #client: ControlClient;
  readonly #network: string | undefined;
  /** It has ended, or has ended the connection. */
  readonly closed: Promise<void>;

  private constructor(client: ControlClient, network: string | undefined) {
    this.#client = client;
    this.#network = network;
    this.closed = client.closed;
  }

  /** undefined: none answers. @throws Mistake where it may not be asked */
  static async find(where: Asked): Promise<Daemon | undefined> {
    for (const path of pathsOf(where)) {
      const client = await open(path);
      if (client) return new Daemon(client, where.isNamed ? where.network : undefined);
    }
    return undefined;
  }

  /** @throws ControlError */
  ask<T>(
    command: ControlCommand,
    args: ControlRequest['args'] = {},
    onRow: (row: never) => void = () => undefined,
  ): Promise<T> {
    const request: ControlRequest = {
      command,
      args,
      ...(this.#network === undefined ? {} : { network: this.#network }),
    };
    return this.#client.ask(request, onRow as (row: unknown) => void) as Promise<T>;
  }

  close(): void {
    this.#client.close();
  }
}

export function pathsOf(where: Asked): readonly string[] {
  if (where.control !== undefined) return [where.control];
  return [controlPath(undefined, folderOf(where)), SERVICE_SOCKET];
}

async function open(path: string): Promise<ControlClient | undefined> {
  try {
    return await ControlClient.open(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    throw new Mistake(`the daemon can’t be asked at ${path} (${code}) — run this as its own user, or as root`);
  }
}

/** @throws Mistake where no daemon answers; ControlError */
export async function withDaemon<T>(where: Asked, work: (daemon: Daemon) => Promise<T>): Promise<T> {
  const daemon = await Daemon.find(where);
  if (!daemon) throw noDaemon(where);
  try {
    return await work(daemon);
  } finally {
    daemon.close();
  }
}

export function noDaemon(where: Asked): Mistake {
  const [path = ''] = pathsOf(where);
  return new Mistake(`no cadenasd answers at ${path} — start it, or name its --data and --network, or its --control`);
}

/** What the operator can't mend by another command line. */
export function isTrouble({ code }: ControlError): boolean {
  return code === 'internal' || code === 'gone' || code === 'silent';
}
