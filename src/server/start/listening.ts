/** Where the daemon listens, TLS or not, and the change of its certificate while it does. */
import type { NetworkFiles } from '../../keys/network.js';
import type { Turned } from '../../transport/listen.js';
import { listenTcp } from '../../transport/tcp.js';
import { listenTls } from '../../transport/tls.js';
import { addressText, type DaemonSettings } from '../config.js';
import type { Limits } from '../limits.js';
import type { Log } from '../log.js';
import type { Server } from '../server.js';
import { certificateOf, type Certificate } from './certificate.js';
import { Refusal } from './refusal.js';

export interface Listening {
  /** New connections get this one; undefined: there is no TLS. @throws Error where certificate and key do not fit */
  readonly renew: ((certificate: Certificate) => void) | undefined;
}

/** @throws Refusal */
export async function listen(
  settings: DaemonSettings,
  limits: Limits,
  network: NetworkFiles,
  server: Server,
  log: Log,
): Promise<Listening> {
  const { daemon, tls } = settings.values;
  const refused = (reason: Turned, source: string): void => {
    server.context.refusals.count(reason, source);
  };
  const mayConnect = (source: string): boolean => server.context.rates.mayConnect(source);
  const most = (): readonly [number, number] => [limits.connections, limits['connections-per-source']];
  const at = { ...daemon.listen, most, mayConnect, refused };
  try {
    if (!tls.on) {
      log.warn('TLS is off: frames are still encrypted, but anybody on the path sees who connects and when');
      server.add(await listenTcp(at, server.accept));
      return { renew: undefined };
    }
    const listener = await listenTls({ ...at, ...certificateOf(settings, network, log) }, server.accept);
    server.add(listener);
    return {
      renew: (certificate) => {
        listener.renew(certificate);
      },
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const where = addressText(daemon.listen);
    if (code === 'EADDRINUSE')
      throw new Refusal(`${where} is in use — stop what listens there, or choose another --listen`);
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Refusal(`can't listen on ${where} (${code}) — choose another --listen`);
    throw error;
  }
}
