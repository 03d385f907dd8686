/** What strangers and members can take from others: places, time, queues; and a disk that fails. */
import { connect, type Socket } from 'node:net';
import { test } from 'tap';
import { Code, Label, loginMessage, structs } from '../../protocol/index.js';
import { passwordClient } from '../../src/crypto/index.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { befriend, makeUser, ports, RawConnection, registerUser, requestOf, type RawUser } from '../support/raw.js';
import type { Teardown } from '../support/temp.js';
import { uninvited } from '../support/registration.js';

/** Sockets from another address that connect and say nothing; resolves when each is open or turned away. */
async function silent(t: Teardown, daemon: Daemon, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect({ host: daemon.host, port: daemon.port, localAddress: '127.0.0.2' }),
  );
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => {
            resolve(); // turned away: what is tested
          });
          socket.on('connect', resolve);
        }),
    ),
  );
  return sockets;
}

for (const tls of [false, true]) {
  test(`one address can't take all places (${tls ? 'TLS' : 'TCP'}), nor hold up a stop`, async (t) => {
    const args = ['--limit', 'connections=40', '--limit', 'connections-per-source=20'];
    const daemon = await startDaemon(t, { network: await makeNetwork(), tls, args });
    await silent(t, daemon, 60);
    t.ok(await connected(t, daemon), 'somebody else is served');
    await daemon.logged('reason=connections source=127.0.0.2');
    const before = performance.now();
    t.equal(await daemon.stop(), 0);
    t.ok(performance.now() - before < 5000, `stopped in ${(performance.now() - before).toFixed(0)} ms`);
  });
}

test('a connection on which nobody logs in ends, whatever is said on it', async (t) => {
  const args = ['--limit', 'login-seconds=3', '--limit', 'registrations-per-hour=1'];
  const daemon = await startDaemon(t, { network: await makeNetwork(), args });
  /* Made before the connection, whose time runs from its first byte on. */
  const { enc, sig } = await makeUser('talker');
  const opaque = (await passwordClient()).registrationStart('x').request;
  const raw = await connected(t, daemon);
  const ask = { name: 'talker', enc: enc.modulus, sig: sig.modulus, opaque, ...uninvited };
  let answers = 0;
  while (!raw.isClosed) {
    await raw.ask(structs.crea1, ask).then(
      () => answers++,
      () => undefined, // closed in between: what is waited for
    );
  }
  t.ok(answers > 2, 'it was talked on until then');
  t.match(daemon.log(), /nobody logged in/);
});

async function authOn(raw: RawConnection, user: RawUser): Promise<number> {
  const { ke1 } = (await passwordClient()).loginStart(user.password);
  const message = loginMessage(raw.session.th2, user.name, ke1);
  const signature = await ports.asymmetric.pssSign(user.sig, Label.login, message);
  return (await raw.ask(structs.auth1, { name: user.name, signature, ke1 })).header.code;
}

test('attempts at once are counted one by one', async (t) => {
  const args = ['--limit', 'logins-per-source=64'];
  const daemon = await startLavish(t, { network: await makeNetwork(), args });
  const user = await makeUser('target');
  t.equal((await registerUser(await connected(t, daemon), user)).header.code, 200);
  const raws = await Promise.all(Array.from({ length: 40 }, () => connected(t, daemon)));
  const codes = await Promise.all(raws.map((raw) => authOn(raw, user)));
  t.equal(codes.filter((code) => code === Code.proceed).length, 10, 'as many as one after another');
  t.equal(codes.filter((code) => code === Code.limited).length, 30);
});

test('one address has a part of the logins being checked', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork(), args: ['--limit', 'logins-per-source=2'] });
  const raws = await Promise.all(Array.from({ length: 30 }, () => connected(t, daemon)));
  const nobody = await makeUser('nobody');
  const codes = await Promise.all(raws.map((raw) => authOn(raw, nobody)));
  t.ok(codes.includes(Code.limited));
  t.ok(codes.includes(Code.proceed));
});

test('strangers take no place of a friend in a queue', async (t) => {
  const args = ['--limit', 'queue-entries=8'];
  const daemon = await startLavish(t, { network: await makeNetwork(), args });
  const victim = await newPerson(t, daemon, 'victim');
  const friend = await newPerson(t, daemon, 'friend');
  await befriend(victim.raw, victim.user, friend.raw, friend.user);
  victim.raw.close();
  const stranger = await newPerson(t, daemon, 'stranger');
  const ask = async (raw: RawConnection, user: RawUser) =>
    (await raw.ask(structs.jmpu, await requestOf(user, 'victim'))).header.code;
  for (let i = 0; i < 12; i++) t.equal(await ask(stranger.raw, stranger.user), Code.queued);
  const others = [];
  for (const name of ['other1', 'other2', 'other3', 'other4', 'other5']) others.push(await newPerson(t, daemon, name));
  const codes = [];
  for (const { raw, user } of others) codes.push(await ask(raw, user));
  t.same(codes, [202, 202, 202, 429, 429], 'half of the queue is for requests');
  const back = await enter(t, daemon, victim.user, false);
  t.equal(back.cnnt.queued, 4, 'one request of each');
});

test('a disk that fails for good ends the daemon with another code', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork(), maxFile: 8 });
  const connects = async (): Promise<void> => {
    for (let i = 0; i < 400; i++) {
      const raw = await RawConnection.connect(daemon, []);
      await raw.handshake(daemon.network.linked);
      raw.close();
    }
  };
  await connects().catch(() => undefined); // the daemon is gone in between: what is waited for
  t.equal(await daemon.exited, 2);
  t.match(daemon.log(), /the disk has failed/);
});

test('a limit that would disable the daemon is refused', async (t) => {
  const network = await makeNetwork();
  for (const limit of ['window=70000', 'hello-seconds=3000000', 'nothing=1', 'window=0', 'window']) {
    await t.rejects(
      startDaemon(t, { network, args: ['--limit', limit] }),
      /cadenasd: --limit[^\n]+ — [^\n]+\n$/,
      limit,
    );
  }
});

test('Ctrl-C, which a terminal may send twice, stops as well', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  await connected(t, daemon);
  process.kill(daemon.pid, 'SIGINT');
  process.kill(daemon.pid, 'SIGINT');
  t.equal(await daemon.exited, 0);
  t.match(daemon.log(), /stopping signal=SIGINT/);
});
