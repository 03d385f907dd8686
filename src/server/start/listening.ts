/** Where the daemon listens, TLS or not, and the change of its certificate while it does. */
import type { NetworkFiles } from '../../keys/network.js';
import { Sockets, type Place, type Turned } from '../../transport/listen.js';
import { listenTcp } from '../../transport/tcp.js';
import { listenTls, type TlsListener } from '../../transport/tls.js';
import type { Listener } from '../../transport/transport.js';
import { hostPortText } from '../../settings/index.js';
import type { DaemonSettings } from '../config.js';
import type { Log } from '../log.js';
import type { Server } from '../server.js';
import { certificateOf, type Certificate } from './certificate.js';
import { Refusal } from './refusal.js';

export interface Listening {
  /** New connections get this one; undefined: there is no TLS. @throws Error where certificate and key do not fit */
  readonly renew: ((certificate: Certificate) => void) | undefined;
}

/**
 * @param inherited sockets that are served in the place of [daemon] listen; none: that
 * @throws Refusal
 */
export async function listen(
  settings: DaemonSettings,
  inherited: readonly number[],
  network: NetworkFiles,
  server: Server,
  log: Log,
): Promise<Listening> {
  const { daemon, tls } = settings.values;
  const refused = (reason: Turned, source: string): void => {
    server.context.refusals.count(reason, source);
  };
  const mayConnect = (source: string): boolean => server.context.rates.mayConnect(source);
  const { limits } = server.context;
  const sockets = new Sockets(() => [limits.connections, limits['connections-per-source']]);
  const places: readonly Place[] = inherited.length > 0 ? inherited.map((fd) => ({ fd })) : [daemon.listen];
  const rules = places.map((at) => ({ at, sockets, mayConnect, refused }));
  const add = (listener: Listener): void => {
    server.add(listener);
    if (inherited.length > 0)
      log.info('serving an inherited socket, not --listen', { address: hostPortText(listener) });
  };
  try {
    if (!tls.on) {
      log.warn('TLS is off: frames are still encrypted, but anybody on the path sees who connects and when');
      for (const rule of rules) add(await listenTcp(rule, server.accept));
      return { renew: undefined };
    }
    const certificate = certificateOf(settings, network, log);
    const listeners: TlsListener[] = [];
    for (const rule of rules) {
      const listener = await listenTls({ ...rule, ...certificate }, server.accept);
      listeners.push(listener);
      add(listener);
    }
    return {
      renew: (fresh) => {
        for (const listener of listeners) listener.renew(fresh);
      },
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const where = hostPortText(daemon.listen);
    if (code === 'EADDRINUSE')
      throw new Refusal(`${where} is in use — stop what listens there, or choose another --listen`);
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new Refusal(`can't listen on ${where} (${code}) — choose another --listen`);
    throw error;
  }
}
