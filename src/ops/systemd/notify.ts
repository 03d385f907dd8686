/**
 * What the daemon tells a service manager (sd_notify(3)). Node has no datagrams on Unix sockets: systemd-notify writes
 * them, a process for each, one after another. The unit needs NotifyAccess=all, since they come from a child.
 */
import { spawn, type ChildProcess } from 'node:child_process';

/** A call that takes longer is ended, in ms. */
const CALL_MS = 5_000;
/** The same of all that is left at the end: a stop must not fail since a service manager does not listen. */
const LAST_MS = 2_000;
/** No ping comes more often, in ms, whatever is asked for. */
const PING_LEAST_MS = 500;

export interface ServiceManager {
  /** Connections are accepted. @param status what `systemctl status` shows, one line */
  ready(status: string): void;
  /** From here until `ready` the configuration is read anew. */
  reloading(): void;
  stopping(status: string): void;
  /**
   * Pings from now on, where the unit has WatchdogSec=: a daemon whose loop stands still is restarted, and so is one that
   * is not well.
   */
  watch(isWell: () => boolean): void;
  /** No more pings; resolves when all that was told has left, after two seconds at most. */
  close(): Promise<void>;
}

type Environment = Record<string, string | undefined>;

/** Nobody listens. */
const nobody: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  watch: () => undefined,
  close: () => Promise.resolve(),
};

/**
 * The service manager that started this process, if one did. Asked once: the variables are gone afterwards, so that no
 * child speaks in the daemon's name.
 *
 * @param trouble told once: nothing reaches the service manager
 */
export function serviceManager(environment: Environment, pid: number, trouble: (why: string) => void): ServiceManager {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period, WATCHDOG_PID: watched } = environment;
  delete environment['NOTIFY_SOCKET'];
  delete environment['WATCHDOG_USEC'];
  delete environment['WATCHDOG_PID'];
  if (socket === undefined || socket === '') return nobody;
  const isOurs = watched === undefined || watched === String(pid);
  const ms = isOurs && period !== undefined && /^\d{1,15}$/.test(period) ? Number(period) / 1000 : 0;
  return new Notifier(socket, ms, trouble);
}

class Notifier implements ServiceManager {
  readonly #environment: Environment;
  readonly #watchdogMs: number;
  readonly #trouble: (why: string) => void;
  /** What is to be told, in order; a state that the next one replaces is left out, so that nothing piles up. */
  #next: readonly string[] | undefined;
  #telling: Promise<void> | undefined;
  #call: ChildProcess | undefined;
  #pings: NodeJS.Timeout | undefined;
  #isTroubled = false;

  constructor(socket: string, watchdogMs: number, trouble: (why: string) => void) {
    this.#environment = { NOTIFY_SOCKET: socket, PATH: process.env['PATH'] };
    this.#watchdogMs = watchdogMs;
    this.#trouble = trouble;
  }

  ready(status: string): void {
    this.#tell('READY=1', `STATUS=${status}`);
  }

  reloading(): void {
    this.#tell('RELOADING=1', `MONOTONIC_USEC=${String(process.hrtime.bigint() / 1000n)}`);
  }

  stopping(status: string): void {
    this.#tell('STOPPING=1', `STATUS=${status}`);
  }

  watch(isWell: () => boolean): void {
    if (this.#watchdogMs === 0 || this.#pings) return;
    this.#pings = setInterval(
      () => {
        if (!this.#telling && isWell()) this.#tell('WATCHDOG=1');
      },
      Math.max(PING_LEAST_MS, this.#watchdogMs / 2),
    );
    this.#pings.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#pings);
    const late = setTimeout(() => {
      this.#next = undefined;
      this.#call?.kill('SIGKILL');
    }, LAST_MS);
    await this.#telling;
    clearTimeout(late);
  }

  #tell(...assignments: readonly string[]): void {
    this.#next = assignments;
    this.#telling ??= this.#all();
  }

  async #all(): Promise<void> {
    for (let told = this.#next; told; told = this.#next) {
      this.#next = undefined;
      this.#call = spawn('systemd-notify', told, { env: this.#environment, stdio: 'ignore' });
      const why = await ended(this.#call);
      if (why !== undefined && !this.#isTroubled) {
        this.#isTroubled = true;
        this.#trouble(why);
      }
    }
    this.#telling = undefined;
  }
}

/** @returns why it failed; undefined: it was told */
function ended(call: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const late = setTimeout(() => call.kill('SIGKILL'), CALL_MS);
    const end = (why: string | undefined): void => {
      clearTimeout(late);
      resolve(why);
    };
    call.once('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'ENOENT' ? 'systemd-notify is not there' : `systemd-notify: ${code ?? 'error'}`);
    });
    call.once('exit', (code, signal) => {
      end(code === 0 ? undefined : `systemd-notify ended with ${String(code ?? signal)}`);
    });
  });
}
