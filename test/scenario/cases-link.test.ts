/** Bad input and attacks on the link, against a running daemon: cases 1 to 4 of the floor. */
import { test } from 'tap';
import { FRAME, structs, Transport } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { makeNetwork, memoryOf, startDaemon } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { encodeCommand, logIn, makeUser, RawConnection, registerUser } from '../support/raw.js';

const keyq = (name: string) => encodeCommand(structs.keyq, { name }, nodeSync.random(16));

void test('case 1: random bytes get no byte and cost no memory', async (t) => {
  const network = await makeNetwork();
  for (const tls of [false, true]) {
    const daemon = await startLavish(t, { network, tls });
    const attack = async (bytes: Uint8Array): Promise<number> => {
      const raw = await RawConnection.connect(daemon, network.linked.pins);
      raw.connection.write(bytes);
      await raw.closed;
      return raw.bytesReceived;
    };
    for (let i = 0; i < 100; i++) await attack(nodeSync.random(FRAME));
    const before = await memoryOf(daemon.pid);
    for (let i = 0; i < 400; i++) t.equal(await attack(nodeSync.random(FRAME)), 0, 'closed without a byte');
    t.ok((await memoryOf(daemon.pid)) - before < 32 * 1024 * 1024, 'memory is flat');
    t.equal(await attack(nodeSync.random(FRAME + 1)), 0, 'more than a frame too');
    t.match(daemon.log(), /refused reason="hello sealed otherwise"/, 'refused before any RSA operation');
    t.ok(daemon.log().split('\n').length < 30, 'the log holds a sample, not a line for each');
  }
});

void test('case 1: part of a frame and then nothing', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, args: ['--limit', 'hello-seconds=1'] });
  await Promise.all(
    [0, 1, 31, 32, 1024, FRAME - 1].map(async (length) => {
      const raw = await RawConnection.connect(daemon, network.linked.pins);
      raw.connection.write(nodeSync.random(length));
      await raw.closed;
      t.equal(raw.bytesReceived, 0, `${String(length)} bytes: closed at the deadline, without a byte`);
    }),
  );
});

void test('case 2: byte by byte, and many frames in one write', async (t) => {
  const network = await makeNetwork();
  for (const tls of [false, true]) {
    const daemon = await startLavish(t, { network, tls });
    const user = await makeUser('slowly');
    const raw = await RawConnection.connect(daemon, network.linked.pins);
    const write = raw.connection.write.bind(raw.connection);
    raw.connection.write = (bytes) => {
      for (const byte of bytes) write(Uint8Array.of(byte));
    };
    t.ok((await raw.handshake(network.linked))?.session, 'handshake');
    t.equal((await registerUser(raw, user)).header.code, 200, 'registration');
    t.equal((await logIn(raw, user)).header.code, 200, 'login');
    raw.connection.write = write;
    const ids = Array.from({ length: 500 }, () => nodeSync.random(16));
    for (const id of ids) raw.session.send.add(encodeCommand(structs.keyq, { name: 'slowly' }, id));
    write(raw.session.send.take());
    for (const id of ids) t.equal((await raw.answerTo(id)).header.code, 200);
  }
});

void test('case 3: a HELLO again, also after a restart', async (t) => {
  const network = await makeNetwork();
  const first = await startDaemon(t, { network });
  const raw = await RawConnection.connect(first, []);
  let hello: Uint8Array = new Uint8Array(0);
  await raw.handshake(network.linked, { hello: (bytes) => (hello = bytes) });
  raw.close();
  const again = async (port: number): Promise<number> => {
    const replay = await RawConnection.connect({ host: first.host, port, tls: false }, []);
    replay.connection.write(hello);
    await replay.closed;
    return replay.bytesReceived;
  };
  t.equal(await again(first.port), 0, 'replayed: closed without a byte');
  t.match(first.log(), /hello replayed/);
  await first.kill();
  const second = await startDaemon(t, { network, data: first.data });
  t.equal(await again(second.port), 0, 'after a kill and a restart: closed without a byte');
  t.match(second.log(), /hello replayed/);
  t.ok((await (await RawConnection.connect(second, [])).handshake(network.linked))?.session, 'a fresh one is answered');
});

void test('case 3: a clock an hour off, another network, another transport', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network });
  const silent = async (change: Parameters<RawConnection['handshake']>[1]): Promise<void> => {
    const raw = await RawConnection.connect(daemon, []);
    t.equal(await raw.handshake(network.linked, change), undefined, 'closed');
    t.equal(raw.bytesReceived, 0, 'without a byte');
  };
  for (const off of [-3600_000, 3600_000, -121_000, 121_000]) await silent({ now: Date.now() + off });
  await silent({ keys: { networkKey: nodeSync.random(16) } });
  const other = await makeNetwork('other');
  await silent({ keys: { serverModulus: Buffer.from(other.linked.serverModulus, 'hex') } });
  const raw = await RawConnection.connect(daemon, []);
  Object.assign(raw.connection, { binding: { transport: Transport.tls, exporter: nodeSync.random(32) } });
  t.equal(await raw.handshake(network.linked), undefined, 'a TLS handshake relayed over TCP does not open');
  t.ok(
    (await (await RawConnection.connect(daemon, [])).handshake(network.linked, { now: Date.now() + 60_000 }))?.session,
  );
});

void test('a client of an unlisted opcode table, software or build gets 426 and the close', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network });
  for (const who of [{ table: nodeSync.random(32) }, { software: nodeSync.random(16) }, { build: 0 }]) {
    const raw = await RawConnection.connect(daemon, []);
    const ack = await raw.handshake(network.linked, { who });
    t.equal(ack?.header.code, 426);
    t.equal(ack?.session, undefined);
    await raw.closed;
    t.equal(raw.bytesReceived, FRAME);
  }
});

void test('case 4: a flipped bit anywhere, a frame again, out of order, reflected', async (t) => {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network });
  const { user } = await newPerson(t, daemon, 'target');
  const flips = [0, 1, 255, 256, 257, 300, 1000, 2031, 2032, 2047];
  for (const [number, at] of flips.entries()) {
    const { raw } = await enter(t, daemon, user);
    raw.session.send.add(keyq('target'));
    const bytes = raw.session.send.take();
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (number % 8));
    const received = raw.bytesReceived;
    raw.connection.write(bytes);
    await raw.closed;
    t.equal(raw.bytesReceived, received, `bit flipped at ${String(at)}: closed without a byte`);
  }
  const attack = async (what: string, forge: (raw: RawConnection) => Uint8Array, answers: number): Promise<void> => {
    const { raw } = await enter(t, daemon, user);
    const received = raw.bytesReceived;
    raw.connection.write(forge(raw));
    await raw.closed;
    t.equal(raw.bytesReceived - received <= answers * FRAME, true, `${what}: closed`);
  };
  const frame = (raw: RawConnection): Uint8Array => {
    raw.session.send.add(keyq('target'));
    return raw.session.send.take();
  };
  await attack(
    'the same frame twice',
    (raw) => {
      const bytes = frame(raw);
      return Buffer.concat([bytes, bytes]);
    },
    1,
  );
  await attack(
    'two frames in the other order',
    (raw) => {
      const bytes = frame(raw);
      return Buffer.concat([frame(raw), bytes]);
    },
    0,
  );
  await attack(
    'a frame left out',
    (raw) => {
      frame(raw);
      return frame(raw);
    },
    0,
  );
  const mirror = await enter(t, daemon, user);
  let last: Uint8Array = new Uint8Array(0);
  const push = mirror.raw.session.receive.push.bind(mirror.raw.session.receive);
  mirror.raw.session.receive.push = (chunk, each) => {
    last = chunk.slice();
    return push(chunk, each);
  };
  await mirror.raw.ask(structs.keyq, { name: 'target' });
  mirror.raw.connection.write(last);
  await mirror.raw.closed;
  t.pass('a frame reflected: closed');
  const after = await connected(t, daemon);
  t.equal((await logIn(after, user)).header.code, 200, 'nobody else is affected');
});
