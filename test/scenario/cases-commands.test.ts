/** Bad commands, logins and names, against a running daemon: cases 7, 8, 10 and 13 of the floor; case 9 is in cases-keys. */
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'tap';
import { COMMAND_HEADER, ENVELOPE, Label, loginMessage, structs, type Values } from '../../protocol/index.js';
import { generateRsa, nodeSync, passwordClient } from '../../src/crypto/index.js';
import { makeNetwork } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import {
  encodeCommand,
  logIn,
  makeUser,
  ports,
  registerUser,
  type RawConnection,
  type RawUser,
} from '../support/raw.js';
import { uninvited, untold } from '../support/registration.js';

/** A sound struct, then changed. */
async function asksWith(raw: RawConnection, change: (bytes: Uint8Array) => void): Promise<number> {
  const id = nodeSync.random(16);
  const bytes = encodeCommand(structs.keyq, { name: 'someone' }, id);
  change(bytes);
  raw.sendStruct(bytes);
  return (await raw.answerTo(id)).header.code;
}

void test('case 7: unknown opcode, padding, UTF-8, range: 400, and the session goes on', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { raw } = await newPerson(t, daemon, 'someone');
  const changes: Record<string, (bytes: Uint8Array) => void> = {
    'an unknown opcode': (b) => b.fill(0xee, 2, 6),
    'an event’s opcode': (b) => b.set([0, 0, 0x27, 0x11], 2),
    'the HELLO’s opcode': (b) => b.set([0, 1, 0x86, 0xaa], 2),
    'a step that is not there': (b) => b.fill(9, 1, 2),
    'another version': (b) => b.fill(2, 0, 1),
    'padding at the end': (b) => b.fill(1, b.length - 1),
    'padding behind the name': (b) => b.fill(0x61, COMMAND_HEADER + 8, COMMAND_HEADER + 9),
    'invalid UTF-8': (b) => b.fill(0xff, COMMAND_HEADER, COMMAND_HEADER + 4),
    'a time beyond every clock': (b) => b.fill(0xff, 22, 30),
    'an empty name': (b) => b.fill(0, COMMAND_HEADER, COMMAND_HEADER + 32),
  };
  for (const [what, change] of Object.entries(changes)) t.equal(await asksWith(raw, change), 400, what);
  const id = nodeSync.random(16);
  const list = encodeCommand(structs.ackd, { ids: [] }, id);
  list[COMMAND_HEADER] = 65;
  raw.sendStruct(list);
  t.equal((await raw.answerTo(id)).header.code, 400, 'a count out of range');
  t.equal((await raw.ask(structs.keyq, { name: 'someone' })).header.code, 200, 'the session is usable');
  const before = await connected(t, daemon);
  t.equal(await asksWith(before, (b) => b.fill(0xee, 2, 6)), 400, 'before a login too');
});

const roomText: Values<typeof structs.srms> = {
  room: new Uint8Array(16),
  epoch: 1,
  sender: new Uint8Array(16),
  message: new Uint8Array(16),
  sequence: 0,
  time: 0,
  previous: new Uint8Array(32),
  part: 0,
  parts: 1,
  salt: new Uint8Array(32),
  sealed: new Uint8Array(1298),
};

function envelopeBetween(from: Uint8Array, to: Uint8Array): Uint8Array {
  const envelope = nodeSync.random(ENVELOPE);
  envelope.set(from, 34);
  envelope.set(to, 50);
  return envelope;
}

void test('case 8: a room message before login, a private message without acceptance: 403', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const fresh = await connected(t, daemon);
  t.equal((await fresh.ask(structs.srms, roomText)).header.code, 403, 'srms before login');
  t.equal(
    (await fresh.ask(structs.smpu, { envelope: new Uint8Array(ENVELOPE) })).header.code,
    403,
    'smpu before login',
  );
  t.equal((await fresh.ask(structs.ackd, { ids: [] })).header.code, 403, 'ackd before login');
  const a = await newPerson(t, daemon, 'asker');
  const b = await newPerson(t, daemon, 'other');
  const write = (from: Uint8Array, to: Uint8Array) => a.raw.ask(structs.smpu, { envelope: envelopeBetween(from, to) });
  t.equal((await write(a.user.uid, b.user.uid)).header.code, 403, 'nobody asked');
  t.equal((await write(b.user.uid, a.user.uid)).header.code, 403, 'in another’s name');
  t.equal((await write(a.user.uid, nodeSync.random(16))).header.code, 403, 'to nobody');
  t.equal((await a.raw.ask(structs.srms, roomText)).header.code, 403, 'to no room');
  t.equal((await a.raw.ask(structs.keyq, { name: 'other' })).header.code, 200, 'the session is usable');
});

void test('case 10: unknown name, wrong signature, wrong password look the same', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { user } = await newPerson(t, daemon, 'known');
  const wrong = await generateRsa();
  const kinds: Record<string, { user: RawUser; change: Parameters<typeof logIn>[2] }> = {
    'unknown name': { user: { ...user, name: 'nobody' }, change: {} },
    'wrong signature': { user, change: { sig: wrong } },
    'wrong password': { user, change: { password: 'not the password' } },
  };
  const seen = new Map<string, Set<string>>();
  const password = await passwordClient();
  const times = new Map<string, number[]>();
  for (let round = 0; round < 6; round++) {
    for (const [kind, { user: who, change }] of Object.entries(kinds)) {
      const raw = await connected(t, daemon);
      const shapes: string[] = [];
      raw.onStruct = (bytes, { opcode, step, header: { status, code } }) => {
        shapes.push([bytes.length, opcode, step, status, code].join(' '));
      };
      const begun = password.loginStart(change?.password ?? who.password);
      const message = loginMessage(raw.session.th2, who.name, begun.ke1);
      const signature = await ports.asymmetric.pssSign(change?.sig ?? who.sig, Label.login, message);
      const sent = performance.now();
      const first = await raw.ask(structs.auth1, { name: who.name, signature, ke1: begun.ke1 });
      times.set(kind, [...(times.get(kind) ?? []), performance.now() - sent]);
      const { ke2, block } = first.values as Values<typeof structs.auth1Answer>;
      t.notOk(await ports.asymmetric.oaepOpen(who.enc, Label.s2, block).then((s2) => s2 && kind !== 'wrong password'));
      if (kind === 'wrong signature') {
        t.equal(
          password.loginFinish(who.password, begun.state, ke2),
          undefined,
          'KE2 confirms no guess without the key',
        );
      }
      const second = await raw.ask(structs.auth2, { ke3: nodeSync.random(64) });
      t.equal(second.header.code, 401, kind);
      seen.set(kind, (seen.get(kind) ?? new Set()).add(shapes.join(' | ')));
      raw.close();
    }
  }
  const all = new Set([...seen.values()].flatMap((shapes) => [...shapes]));
  t.equal(all.size, 1, `the same frames: ${[...all].join(' <> ')}`);
  const medians = [...times].map(([kind, ms]) => {
    const median = [...ms].sort((x, y) => x - y)[Math.floor(ms.length / 2)] ?? 0;
    t.ok(median >= 24, `${kind}: not before 25 ms (${median.toFixed(1)} ms)`);
    return median;
  });
  t.ok(Math.max(...medians) - Math.min(...medians) < 25, 'and none a step of 25 ms later than another');
  const raw = await connected(t, daemon);
  const decoy = async (): Promise<Values<typeof structs.auth1Answer>> => {
    const { ke1 } = password.loginStart('x');
    const answer = await raw.ask(structs.auth1, { name: 'nobody', signature: nodeSync.random(256), ke1 });
    await raw.ask(structs.auth2, { ke3: nodeSync.random(64) });
    return answer.values as Values<typeof structs.auth1Answer>;
  };
  const [one, two] = [await decoy(), await decoy()];
  t.notSame(one.block, two.block, 'a decoy’s block is fresh each time, as a real one is');
  await decoy();
  raw.send(structs.auth1, { name: 'nobody', signature: nodeSync.random(256), ke1: password.loginStart('x').ke1 });
  await raw.closed;
  t.pass('a fourth attempt on one connection closes it');
  t.equal((await logIn(await connected(t, daemon), user)).header.code, 200, 'the owner still logs in');
});

void test('a login out of turn ends the connection; a wrong word is 401', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const { user } = await newPerson(t, daemon, 'known');
  const raw = await connected(t, daemon);
  t.equal((await logIn(raw, user, { w: nodeSync.random(32) })).header.code, 401, 'wrong words');
  t.equal((await logIn(raw, user)).header.code, 200, 'the next try is a new auth');
  const early = await connected(t, daemon);
  const { ke1 } = (await passwordClient()).loginStart('x');
  const auth = { name: 'known', signature: nodeSync.random(256), ke1 };
  t.equal((await early.ask(structs.auth1, auth)).header.code, 101);
  early.send(structs.pass, { words: new Uint8Array(32), factor: 0, code: new Uint8Array(0) });
  await early.closed;
  const double = await connected(t, daemon);
  double.send(structs.auth1, auth);
  double.send(structs.auth1, auth);
  await double.closed;
  const lone = await connected(t, daemon);
  t.equal((await lone.ask(structs.auth2, { ke3: new Uint8Array(64) })).header.code, 403, 'a step nobody began');
  t.equal((await lone.ask(structs.crea2, crea2)).header.code, 403);
});

const crea2: Values<typeof structs.crea2> = {
  mac: new Uint8Array(32),
  signature: new Uint8Array(256),
  record: new Uint8Array(192),
  words: new Uint8Array(32),
  ...untold,
};

void test('case 13: hostile names', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork(), args: ['--limit', 'journal-bytes=1'] });
  const user = await makeUser('bob');
  const raw = await connected(t, daemon);
  /* Without the journal and its checkpoints, whose files come and go with each connection. */
  const around = async (): Promise<string> => {
    const all = await readdir(dirname(daemon.data), { recursive: true });
    return all
      .filter((path) => !/(^|\/)(journal\/.*|hellos|index)(\.new|\.tmp)?$/.test(path))
      .sort()
      .join('\n');
  };
  const before = await around();
  const named = async (name: Uint8Array): Promise<number> => {
    const opaque = (await passwordClient()).registrationStart('x').request;
    const id = nodeSync.random(16);
    const values = { name: 'aaa', enc: user.enc.modulus, sig: user.sig.modulus, opaque, ...uninvited };
    const bytes = encodeCommand(structs.crea1, values, id);
    bytes.fill(0, COMMAND_HEADER, COMMAND_HEADER + 32);
    bytes.set(name, COMMAND_HEADER);
    raw.sendStruct(bytes);
    return (await raw.answerTo(id)).header.code;
  };
  const hostile: Record<string, Uint8Array> = {
    'a path': Buffer.from('../x'),
    'a longer path': Buffer.from('../../../../etc/passwd'),
    'NUL inside': Buffer.from('bob\0x'),
    'overlong UTF-8': Buffer.from([0xc1, 0xa2, 0xc1, 0xaf, 0xc1, 0xa2]),
    'a Cyrillic о': Buffer.from('bоb'),
    capitals: Buffer.from('Bob'),
    'two letters': Buffer.from('bo'),
    'a digit first': Buffer.from('1bob'),
    'a space': Buffer.from('bob '),
    'an escape': Buffer.from('bob\u001b[2J'),
    'bytes that are no UTF-8': Buffer.from([0x62, 0xff, 0xfe]),
  };
  for (const [what, name] of Object.entries(hostile)) t.equal(await named(name), 400, what);
  t.equal(await around(), before, 'nothing was written');
  t.equal((await registerUser(raw, user)).header.code, 200, 'bob');
  t.equal((await registerUser(await connected(t, daemon), await makeUser('bob'))).header.code, 409, 'bob again');
  const files = (await around()).split('\n').filter((path) => path !== '');
  t.ok(files.length > 3 && files.every((path) => !path.includes('bob')), 'no file is named by a user');
  t.ok(await enter(t, daemon, user));
});
