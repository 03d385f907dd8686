/**
 * Sockets that a service manager holds and hands over (sd_listen_fds(3)): they stay open while the daemon restarts, and
 * whoever connects meanwhile waits.
 */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { ServiceRefusal } from './refusal.js';

/** Where what is handed over begins. */
const FIRST = 3;
/** More sockets than this are a mistake. */
const SOCKETS_MAX = 64;
/** A socket that listens, as the kernel's tables of TCP have it. */
const LISTENING = '0A';

type Environment = Record<string, string | undefined>;

/**
 * The descriptors that this process was handed; none where there is no socket unit. Asked once: the variables are gone
 * afterwards, so that no child takes them for its own.
 *
 * @throws ServiceRefusal where one of them is no listening socket of TCP
 */
export function takeSockets(environment: Environment, pid: number): readonly number[] {
  const { LISTEN_PID: whose, LISTEN_FDS: many } = environment;
  delete environment['LISTEN_PID'];
  delete environment['LISTEN_FDS'];
  delete environment['LISTEN_FDNAMES'];
  if (many === undefined || whose !== String(pid)) return [];
  if (!/^\d{1,3}$/.test(many) || Number(many) > SOCKETS_MAX)
    throw new ServiceRefusal(
      `$LISTEN_FDS is no number up to ${String(SOCKETS_MAX)} — have cadenasd.socket hand over fewer sockets`,
    );
  const descriptors = Array.from({ length: Number(many) }, (_, n) => FIRST + n);
  const listening = listeningSockets();
  for (const descriptor of descriptors)
    if (!isAmong(listening, descriptor))
      throw new ServiceRefusal(
        `descriptor ${String(descriptor)} is no listening socket of TCP — cadenasd.socket may have ListenStream= with a port or an address alone`,
      );
  return descriptors;
}

/* Node has no getsockopt(2): the kernel's tables say of each socket of TCP whether it listens. */
function listeningSockets(): ReadonlySet<string> {
  const rows = ['tcp', 'tcp6'].flatMap((family) => tableOf(`/proc/self/net/${family}`));
  return new Set(rows.filter(([, , , state]) => state === LISTENING).map((row) => `socket:[${row[9] ?? ''}]`));
}

/** A kernel without IPv6 has no table of it. */
function tableOf(path: string): string[][] {
  try {
    return readFileSync(path, 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isAmong(listening: ReadonlySet<string>, descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket() && listening.has(readlinkSync(`/proc/self/fd/${String(descriptor)}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBADF') return false;
    throw error;
  }
}
