/** Plain TCP. */
import { connect, createServer } from 'node:net';
import { connectFailure, CONNECT_TIMEOUT_MS } from './failure.js';
import { listen, type ListenOptions } from './listen.js';
import { NodeConnection, tcpBinding } from './node-connection.js';
import { ConnectError, type Connect, type Connection, type Listener } from './transport.js';

export function listenTcp(options: ListenOptions, accept: (connection: Connection) => void): Promise<Listener> {
  return listen(createServer(), options, (socket) => {
    accept(new NodeConnection(socket, tcpBinding));
  });
}

export const connectTcp: Connect = ({ host, port }) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const fail = (error: ConnectError): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      fail(new ConnectError('timeout', 'no answer to the connection'));
    });
    const failed = (error: Error): void => {
      fail(connectFailure(error));
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.setTimeout(0);
      const connection = new NodeConnection(socket, tcpBinding);
      socket.off('error', failed);
      resolve(connection);
    });
  });
