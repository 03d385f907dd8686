/** TLS 1.3 around the frames. It authenticates by a pin of the network's own key, never by resumption. */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { Binding } from '../../protocol/index.js';
import { HASH, Transport } from '../../protocol/index.js';
import { connectFailure, CONNECT_TIMEOUT_MS } from './failure.js';
import { listen, type ListenOptions } from './listen.js';
import { NodeConnection } from './node-connection.js';
import { sourceOf } from './source.js';
import { ConnectError, type Connect, type Connection, type Listener } from './transport.js';

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A client waits this long for the daemon's half of the TLS handshake. */
const TLS_ANSWER_MS = 5_000;

/** RFC 9266: bound into the handshake, so that nobody can stand between two TLS connections. */
function tlsBinding(socket: TLSSocket): Binding {
  const exporter = socket.exportKeyingMaterial(HASH, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return { transport: Transport.tls, exporter };
}

/** PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface TlsListener extends Listener {
  /** Connections from now on get this one. @throws Error as OpenSSL gives it, where the two do not fit; the former stays */
  renew(identity: TlsIdentity): void;
}

const secureContext = ({ certificate, privateKey }: TlsIdentity) =>
  ({ cert: certificate, key: privateKey, minVersion: 'TLSv1.3' }) as const;

export async function listenTls(
  options: ListenOptions & TlsIdentity,
  accept: (connection: Connection) => void,
): Promise<TlsListener> {
  const server = createServer({ ...secureContext(options), handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
  server.on('secureConnection', (socket) => {
    accept(new NodeConnection(socket, tlsBinding(socket)));
  });
  server.on('tlsClientError', (_error, socket) => {
    options.refused('tls', sourceOf(socket.remoteAddress));
    socket.destroy();
  });
  const listener = await listen(server, options);
  return {
    ...listener,
    renew: (identity) => {
      server.setSecureContext(secureContext(identity));
    },
  };
}

export interface TlsClientOptions {
  /** SHA-256 of the accepted keys' SubjectPublicKeyInfo, lower-case hexadecimal */
  readonly pins: readonly string[];
  /** Skips the pin, never the channel binding. */
  readonly allowInvalid: boolean;
}

function isPinned(socket: TLSSocket, pins: readonly string[]): boolean {
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ format: 'der', type: 'spki' });
  return spki !== undefined && pins.includes(createHash('sha256').update(spki).digest('hex'));
}

export function tlsConnector(options: TlsClientOptions): Connect {
  return ({ host, port }) =>
    new Promise((resolve, reject) => {
      const socket = connect({
        host,
        port,
        minVersion: 'TLSv1.3',
        /* The certificate is the network's own; the pin below decides, before the first byte leaves. */
        rejectUnauthorized: false,
        ...(isIP(host) ? {} : { servername: host }),
      });
      const fail = (error: ConnectError): void => {
        socket.destroy();
        reject(error);
      };
      const failed = (error: Error): void => {
        fail(connectFailure(error));
      };
      const closed = (): void => {
        fail(new ConnectError('not-tls', 'closed during the TLS handshake'));
      };
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
        fail(new ConnectError('timeout', 'no answer to the connection'));
      });
      socket.once('connect', () => {
        /* Whoever took the connection and says nothing to a ClientHello does not speak TLS. */
        socket.setTimeout(TLS_ANSWER_MS, () => {
          fail(new ConnectError('not-tls', 'no answer to the TLS handshake'));
        });
      });
      socket.once('error', failed);
      socket.once('close', closed);
      socket.once('secureConnect', () => {
        socket.setTimeout(0);
        if (!options.allowInvalid && !isPinned(socket, options.pins)) {
          fail(new ConnectError('pin', 'the certificate is not the one this client was linked with'));
          return;
        }
        const connection = new NodeConnection(socket, tlsBinding(socket));
        socket.off('error', failed);
        socket.off('close', closed);
        resolve(connection);
      });
    });
}
