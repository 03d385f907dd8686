/** Connections from an address of one's own. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { HASH, Transport } from '../../../protocol/index.js';
import { NodeConnection, tcpBinding } from '../../../src/transport/node-connection.js';
import { RawConnection, type Where } from '../../support/raw.js';

const secureContext = createSecureContext({ minVersion: 'TLSv1.3' });

/**
 * As a client connects, but for the pin: with what it costs to look at it, fewer would log in.
 *
 * @param from an address of this machine
 * @throws Error as the operating system or TLS gives it
 */
export async function connectFrom(from: string, { host, port, tls }: Where): Promise<RawConnection> {
  if (!tls) {
    const socket = connect({ host, port, localAddress: from });
    await once(socket, 'connect');
    return RawConnection.over(new NodeConnection(socket, tcpBinding));
  }
  /* The socket is bound by hand: options of TLS have no local address in Node's types. */
  const socket = connectTls({
    socket: connect({ host, port, localAddress: from }),
    secureContext,
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  const exporter = socket.exportKeyingMaterial(HASH, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return RawConnection.over(new NodeConnection(socket, { transport: Transport.tls, exporter }));
}
