/** Case 6 and what else a member of the network can do who sits on the path: everybody's client has the network key. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'tap';
import { Code, FRAME, linkedKeys, openHello, openInner } from '../../protocol/index.js';
import { generateRsa, nodeSync } from '../../src/crypto/index.js';
import { CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { connected, newPerson } from '../support/people.js';
import { logIn, ports, RawConnection } from '../support/raw.js';
import { relayTo } from '../support/relay.js';

test('TLS ended on the path: the daemon answers no byte, even where the client accepts any certificate', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, tls: true });
  const relay = await relayTo(t, daemon, true);
  const alice = await CliUser.make(t, { network, where: { ...daemon, port: relay.port }, name: 'alice' });
  const refused = await alice.run('register', '@alice');
  t.equal(refused.code, 4, 'the pin');
  const careless = await alice.run('--allow-invalid-cert', 'register', '@alice');
  t.equal(careless.code, 3, careless.err);
  t.equal(relay.fromDaemon.length, 0, 'not one byte inside TLS: the handshake is bound to the channel');
});

test('case 6: what was signed on one connection is nothing on another', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const { user } = await newPerson(t, daemon, 'victim');
  const mine = await connected(t, daemon);
  /* At best somebody on the path has a whole signed auth1 of another handshake, and puts it into their own. */
  const theirs = await connected(t, daemon);
  t.equal((await logIn(mine, user, { th2: theirs.session.th2 })).header.code, Code.authentication);
  t.equal((await logIn(theirs, user)).header.code, Code.done);
});

test('case 6: frames of another’s connection, put into one’s own, close it', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const relay = await relayTo(t, daemon, false);
  const theirs = await RawConnection.connect({ ...daemon, port: relay.port }, daemon.network.linked.pins);
  await theirs.handshake(daemon.network.linked);
  theirs.session.send.add(new Uint8Array(1776));
  const frame = theirs.session.send.take();
  const mine = await connected(t, daemon);
  const before = mine.bytesReceived;
  mine.connection.write(frame);
  await mine.closed;
  t.equal(mine.bytesReceived, before);
  theirs.close();
});

test('who has the network key but not the server’s key can’t be the server', async (t) => {
  const { linked } = await makeNetwork();
  const own = await generateRsa();
  const keys = linkedKeys(linked);
  /* A client of the network knows NK and the server's modulus, so it opens the outer layer and no more. */
  const generation = { ...keys, serverPrivate: own };
  let [opened, answered] = [false, false];
  const server = createServer((socket) => {
    let all = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      all = Buffer.concat([all, chunk]);
      if (all.length < FRAME) return;
      const binding = { transport: 0, exporter: new Uint8Array(32) } as const;
      const hello = openHello(nodeSync, [generation], binding, all);
      opened = hello !== undefined;
      if (!hello) {
        socket.destroy();
        return;
      }
      void openInner(ports, hello.keys.serverPrivate, hello, () => Code.done).then((inner) => {
        answered = inner !== undefined;
        socket.end(nodeSync.random(FRAME)); // the best that is left: bytes that look like an ACK
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const raw = await RawConnection.connect({ host: '127.0.0.1', port, tls: false }, []);
  await t.rejects(raw.handshake(linked), /does not open/);
  t.ok(opened, 'it sees that somebody speaks Cadenas');
  t.notOk(answered, 'and can answer nothing');
});
