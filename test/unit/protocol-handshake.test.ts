/** HELLO and ACK between the two sides, and every refusal on the way (SPEC 4). */
import { test } from 'tap';
import {
  answerHello,
  beginHandshake,
  Code,
  concat,
  FRAME,
  hex,
  isContributory,
  isTimely,
  LoginTranscript,
  noExporter,
  openHello,
  openInner,
  Session,
  STRUCT,
  Transport,
  type Admit,
  type AnsweredHello,
  type AsymmetricCrypto,
  type Binding,
  type ClientHandshake,
  type OpenedHello,
  type ServerKeys,
} from '../../protocol/index.js';
import { noEpochs } from '../support/epochs.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';

const NOW = 1_760_000_000_000;
const some = (what: string, length: number): Uint8Array => new Seeded(`handshake ${what}`).bytes(length);
const keys = await readTestKeys();
const network: ServerKeys<NodeRsaPrivate> = {
  networkKey: some('network key', 16),
  serverModulus: keys.server.modulus,
  serverPrivate: keys.server,
};
const build = { build: 7, software: some('software', 16), table: some('table', 32) };
const tcp: Binding = { transport: Transport.tcp, exporter: noExporter };
const limits = { window: 64 };
const admit = (): typeof Code.done => Code.done;

function begin(asymmetric: AsymmetricCrypto = nodeAsymmetric, binding = tcp): Promise<ClientHandshake> {
  return beginHandshake({ sync: nodeSync, asymmetric }, network, binding, build, NOW);
}
function opened(hello: Uint8Array, binding = tcp): OpenedHello<NodeRsaPrivate> {
  const found = openHello(nodeSync, [network], binding, hello);
  if (!found) throw new Error('the HELLO does not open');
  return found;
}
async function answered(hello: Uint8Array, asymmetric = nodeAsymmetric): Promise<AnsweredHello | undefined> {
  return answerTo(opened(hello), asymmetric);
}
async function answerTo(
  found: OpenedHello<NodeRsaPrivate>,
  asymmetric = nodeAsymmetric,
  admits: Admit = admit,
): Promise<AnsweredHello | undefined> {
  const inner = await openInner({ sync: nodeSync, asymmetric }, found.keys.serverPrivate, found, admits);
  return inner && answerHello(nodeSync, found, inner, limits, NOW + 5);
}
const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));

async function sessions(): Promise<{ client: Session; daemon: Session }> {
  const begun = await begin();
  const answer = await answered(begun.hello);
  const finished = answer && (await begun.finish(answer.ack));
  if (!answer?.session || !finished?.session) throw new Error('no session');
  return { client: finished.session, daemon: answer.session };
}

function passes(from: Session, to: Session, struct: Uint8Array): boolean {
  from.send.add(struct);
  const got: string[] = [];
  return to.receive.push(from.send.take(), (one) => got.push(hex(one)) > 0) && got[0] === hex(struct);
}

test('both sides come to the same keys, and say who they are', async (t) => {
  const begun = await begin();
  t.equal(begun.hello.length, FRAME);
  const found = opened(begun.hello);
  t.equal(found.time, NOW);
  t.equal(hex(found.cr), hex(begun.hello.subarray(0, 32)));
  const answer = await answerTo(found);
  if (!answer) throw new Error('no answer');
  t.equal(answer.ack.length, FRAME);
  t.equal(answer.client.build, build.build);
  t.equal(hex(answer.client.table), hex(build.table));
  t.equal(hex(answer.client.software), hex(build.software));
  const finished = await begun.finish(answer.ack);
  t.equal(finished?.header.code, Code.done);
  t.equal(finished?.header.time, NOW + 5);
  t.equal(finished?.values.window, limits.window);
  const [client, daemon] = [finished?.session, answer.session];
  if (!client || !daemon) throw new Error('no session');
  t.equal(hex(client.th2), hex(daemon.th2));
  for (const i of [1, 2, 3]) {
    t.ok(passes(client, daemon, some(`c2s ${String(i)}`, STRUCT)));
    t.ok(passes(daemon, client, some(`s2c ${String(i)}`, STRUCT)));
  }
});

test('two handshakes have nothing in common', async (t) => {
  const [one, other] = [await begin(), await begin()];
  t.not(hex(one.hello.subarray(0, 32)), hex(other.hello.subarray(0, 32)), 'cr');
  const [a, b] = [await answered(one.hello), await answered(other.hello)];
  t.not(hex(a?.session?.th2 ?? noExporter), hex(b?.session?.th2 ?? noExporter), 'th2');
  t.equal(await one.finish(b?.ack ?? noExporter), undefined, 'the ACK of another does not open');
});

test('the daemon finds the generation among its keys', async (t) => {
  const other = { ...network, networkKey: some('other network', 16) };
  const { hello } = await begin();
  t.equal(openHello(nodeSync, [other, network], tcp, hello)?.keys, network);
  t.equal(openHello(nodeSync, [other], tcp, hello), undefined, 'a HELLO of another network');
  t.equal(openHello(nodeSync, [], tcp, hello), undefined);
});

test('a HELLO belongs to its transport and its TLS connection', async (t) => {
  const overTls: Binding = { transport: Transport.tls, exporter: some('exporter', 32) };
  const { hello } = await begin(nodeAsymmetric, overTls);
  t.ok(openHello(nodeSync, [network], overTls, hello));
  t.equal(openHello(nodeSync, [network], tcp, hello), undefined, 'carried over to TCP');
  const relayed = { ...overTls, exporter: some('another exporter', 32) };
  t.equal(openHello(nodeSync, [network], relayed, hello), undefined, 'carried over to another TLS connection');
});

test('no byte of a HELLO can be changed', async (t) => {
  const { hello } = await begin();
  for (const at of [0, 31, 32, 40, 300, 1000, FRAME - 1])
    t.equal(openHello(nodeSync, [network], tcp, flip(hello, at)), undefined, `byte ${String(at)}`);
  for (const length of [0, 1, FRAME - 1])
    t.equal(openHello(nodeSync, [network], tcp, hello.subarray(0, length)), undefined);
  t.equal(openHello(nodeSync, [network], tcp, concat(hello, Uint8Array.of(0))), undefined, 'one byte more');
});

test('no byte of an ACK can be changed, and a refused one leaves the client where it was', async (t) => {
  const begun = await begin();
  const answer = await answered(begun.hello);
  if (!answer) throw new Error('no answer');
  for (const at of [0, 31, 32, 700, FRAME - 1])
    t.equal(await begun.finish(flip(answer.ack, at)), undefined, `byte ${String(at)}`);
  t.equal(await begun.finish(answer.ack.subarray(1)), undefined);
  t.ok((await begun.finish(answer.ack))?.session);
});

test('the clock may be two minutes off, either way', (t) => {
  t.ok(isTimely(NOW, NOW));
  t.ok(isTimely(NOW + 120_000, NOW));
  t.ok(isTimely(NOW - 120_000, NOW));
  t.notOk(isTimely(NOW + 120_001, NOW));
  t.notOk(isTimely(NOW - 120_001, NOW));
  t.notOk(isTimely(Number.MAX_VALUE, NOW));
  t.end();
});

test('a sealed HELLO with a block for another server key is refused after RSA', async (t) => {
  const other = {
    ...nodeAsymmetric,
    oaepSeal: (_: Uint8Array, label: Uint8Array, plain: Uint8Array) =>
      nodeAsymmetric.oaepSeal(keys.senderEnc.modulus, label, plain),
  };
  const { hello } = await begin(other);
  t.ok(opened(hello));
  t.equal(await answered(hello), undefined);
});

test('a share of zeros is refused by both sides', async (t) => {
  const zero = new Uint8Array(32);
  const zeroShare = {
    ...nodeAsymmetric,
    x25519: () => Promise.resolve({ publicKey: zero, agree: () => Promise.resolve(undefined) }),
  };
  const { hello } = await begin(zeroShare);
  t.equal(await answered(hello), undefined, 'the daemon');
  const begun = await begin();
  const lazy = {
    ...nodeAsymmetric,
    agree: () => Promise.resolve({ x25519: zero, mlkem: new Uint8Array(1088), secret: new Uint8Array(64) }),
  };
  const answer = await answered(begun.hello, lazy);
  t.equal(await begun.finish(answer?.ack ?? zero), undefined, 'the client');
  t.notOk(isContributory(zero));
  t.ok(isContributory(Uint8Array.of(0, 1)));
});

test('an ML-KEM key that is none is refused', async (t) => {
  const broken = {
    ...nodeAsymmetric,
    mlkem: () =>
      Promise.resolve({
        encapsulationKey: new Uint8Array(1184).fill(0xff),
        decapsulate: () => Promise.reject(new Error('unused')),
      }),
  };
  const { hello } = await begin(broken);
  t.equal(await answered(hello), undefined);
});

test('a client that is too old gets 426, no session, and no key agreement is done', async (t) => {
  const begun = await begin();
  let agreed = false;
  const watched = {
    ...nodeAsymmetric,
    agree: (...shares: readonly [Uint8Array, Uint8Array]) => {
      agreed = true;
      return nodeAsymmetric.agree(...shares);
    },
  };
  const answer = await answerTo(opened(begun.hello), watched, () => Code.upgrade);
  t.equal(answer?.session, undefined);
  t.notOk(agreed);
  const finished = await begun.finish(answer?.ack ?? noExporter);
  t.equal(finished?.header.code, Code.upgrade);
  t.equal(finished?.session, undefined);
});

test('the switch to ck3', async (t) => {
  const { client, daemon } = await sessions();
  const transcript = new LoginTranscript();
  for (const i of [1, 2, 3]) {
    const struct = some(`login ${String(i)}`, STRUCT);
    t.ok(passes(client, daemon, struct));
    transcript.add(struct);
  }
  const th3 = transcript.hash(nodeSync, client.th2);
  const [secret, b2] = [some('s2 and session key', 96), some('b2', 256)];
  daemon.authenticated(secret, th3, b2, noEpochs);
  client.authenticated(secret, th3, b2, noEpochs);
  for (const i of [4, 5]) {
    t.ok(passes(client, daemon, some(`after ${String(i)}`, STRUCT)));
    t.ok(passes(daemon, client, some(`after ${String(i)}`, STRUCT)));
  }
  t.throws(() => {
    transcript.add(new Uint8Array(STRUCT - 1));
  }, RangeError);
});

test('sides that disagree about the login understand nothing any more', async (t) => {
  for (const what of ['secret', 'th3', 'b2'] as const) {
    const { client, daemon } = await sessions();
    const right = { secret: some('secret', 96), th3: some('th3', 32), b2: some('b2', 256) };
    const wrong = { ...right, [what]: right[what].map((byte, i) => (i === 5 ? byte ^ 1 : byte)) };
    client.authenticated(right.secret, right.th3, right.b2, noEpochs);
    daemon.authenticated(wrong.secret, wrong.th3, wrong.b2, noEpochs);
    t.notOk(passes(daemon, client, some('event', STRUCT)), what);
  }
});
