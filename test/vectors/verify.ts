/** Every kind of vector through the code, with the product's providers: the opening side of each. */
import {
  allStructs,
  answerHello,
  beginHandshake,
  canonicalWords,
  check,
  Code,
  concat,
  conversationId,
  decode,
  encode,
  encodeFields,
  envelopeHash,
  fileKeys,
  fingerprint,
  isTimely,
  keyProblem,
  keysMessage,
  Label,
  loginMessage,
  LoginTranscript,
  openEnvelope,
  openHello,
  openInner,
  possession,
  requestHash,
  Session,
  sigFileKey,
  structs,
  utf8,
  verifyAcceptance,
  verifyRequest,
  wordsProof,
  type Acceptance,
  type Binding,
  type Header,
  type Request,
  type Struct,
  type Values,
  joinText,
  partFrameId,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, rsaPrivate } from '../../src/crypto/index.js';
import { noEpochs } from '../support/epochs.js';
import { fixedAsymmetric, fixedSync } from './fixed-crypto.js';
import { toJson, type Vector } from './format.js';
import { verifyEpochs } from './verify-epochs.js';
import { verifyOpaque } from './opaque.js';
import { expectEqual, fromJson, Reader } from './reader.js';
import { Script } from './script.js';
import {
  verifyRoomBlock,
  verifyRoomEntry,
  verifyRoomHead,
  verifyRoomInvitation,
  verifyRoomKey,
  verifyRoomMessage,
} from './verify-rooms.js';
import { verifyKeyChange, verifyKeyProofs } from './verify-keys.js';
import { verifySafety } from './verify-safety.js';
import { handshakeSchedule, loginSchedule } from './schedule.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };

function structNamed(name: string): Struct {
  const struct = allStructs.find((one) => one.name === name);
  if (!struct) throw new Error(`no struct ${name}`);
  return struct;
}

function headerOf(struct: Struct, header: Reader): Header {
  const answers = struct.from === 'daemon';
  return {
    opcode: header.number('opcode'),
    step: header.number('step'),
    frameId: header.bytes('frameId'),
    time: header.number('time'),
    status: (answers ? header.number('status') : 0) as Header['status'],
    code: (answers ? header.number('code') : 0) as Header['code'],
  };
}

function verifyStruct(vector: Vector): void {
  const from = new Reader(vector);
  const struct = structNamed(from.text('struct'));
  const bytes = from.bytes('bytes');
  expectEqual('problem', check(struct, bytes), vector.step);
  if (vector.expect === 'refused') return;
  const header = headerOf(struct, from.at('header'));
  expectEqual('encoding', encode(struct, header, fromJson(struct.fields, from.at('values')) as Values<Struct>), bytes);
  const decoded = decode(struct, bytes);
  if (decoded.problem) throw new Error(decoded.problem);
  expectEqual('values', toJson(decoded.values), from.at('values').json);
  expectEqual('header', toJson(decoded.header), toJson(header));
}

function network(from: Reader) {
  const serverPrivate = rsaPrivate(from.bytes('serverPrivate'));
  return { networkKey: from.bytes('networkKey'), serverModulus: from.bytes('serverModulus'), serverPrivate };
}
const bindingOf = (from: Reader): Binding => {
  return { transport: from.number('transport') as Binding['transport'], exporter: from.bytes('exporter') };
};
const buildOf = (from: Reader) => {
  return { build: from.number('build'), software: from.bytes('software'), table: from.bytes('table') };
};

/** The client of a vector, with what it drew: its HELLO must come out as recorded. */
async function clientOf(from: Reader) {
  const client = from.at('client');
  const script = (...names: readonly string[]): Script => new Script(names.map((name) => client.bytes(name)));
  const recorded = new Map<string, Uint8Array>();
  const scripted = {
    sync: fixedSync(script('cr', 's1', 'frameId'), recorded),
    asymmetric: fixedAsymmetric(script('x25519Private', 'mlkemSeed', 'oaepSeed'), recorded),
  };
  const binding = bindingOf(from.at('binding'));
  const begun = await beginHandshake(
    scripted,
    network(from.at('network')),
    binding,
    buildOf(client),
    client.number('now'),
  );
  expectEqual('hello', begun.hello, from.bytes('hello'));
  return { begun, recorded };
}

async function verifyHandshake(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const [keys, hello, ack] = [from.at('keys'), from.bytes('hello'), from.bytes('ack')];
  const { begun, recorded } = await clientOf(from);
  const finished = await begun.finish(ack);
  if (!finished?.session) throw new Error('the ACK does not open');
  const schedule = handshakeSchedule({
    ...network(from.at('network')),
    ...bindingOf(from.at('binding')),
    s1: from.at('client').bytes('s1'),
    hello,
    ack,
    shared: concat(keys.bytes('x25519Shared'), keys.bytes('mlkemShared')),
  });
  for (const [name, value] of Object.entries(schedule)) expectEqual(name, value, keys.bytes(name));
  const derived = {
    ck0: 'ck0',
    ck1: 'ck1',
    ck2: 'ck2',
    'hello outer': 'helloOuter',
    'hello inner': 'helloInner',
    ack: 'ackKey',
  };
  for (const [info, name] of Object.entries(derived))
    expectEqual(`the code's ${name}`, recorded.get(info), keys.bytes(name));
  for (const direction of ['c2s', 's2c'])
    for (const layer of ['Outer', 'Inner'])
      expectEqual(
        direction + layer,
        recorded.get(`${direction} ${layer.toLowerCase()}`),
        keys.bytes(direction + layer),
      );
  expectEqual('th2', finished.session.th2, keys.bytes('th2'));
  const daemon = from.at('daemon');
  const { header, values } = finished;
  expectEqual('status and code', [header.status, header.code, header.time], [3, Code.done, daemon.number('now')]);
  expectEqual('frame id', header.frameId, from.at('client').bytes('frameId'));
  expectEqual('challenge', values.challenge, daemon.bytes('challenge'));
  expectEqual('session id', values.session, daemon.bytes('session'));
  expectEqual('window', values.window, daemon.number('window'));
  await verifyDaemonSide(from);
}

async function verifyDaemonSide(from: Reader): Promise<void> {
  const [keys, daemon] = [from.at('keys'), from.at('daemon')];
  const opened = openHello(nodeSync, [network(from.at('network'))], bindingOf(from.at('binding')), from.bytes('hello'));
  if (!opened) throw new Error('the HELLO does not open');
  expectEqual('th1', opened.th1, keys.bytes('th1'));
  expectEqual('time', opened.time, from.at('client').number('now'));
  const scripted = {
    sync: fixedSync(new Script(['challenge', 'session', 'sr'].map((name) => daemon.bytes(name)))),
    asymmetric: fixedAsymmetric(new Script(['x25519Private', 'mlkemMessage'].map((name) => daemon.bytes(name)))),
  };
  const limits = { window: daemon.number('window') };
  const inner = await openInner(scripted, opened.keys.serverPrivate, opened, () => Code.done);
  const answered = inner && answerHello(scripted.sync, opened, inner, limits, daemon.number('now'));
  expectEqual('ack', answered?.ack, from.bytes('ack'));
  expectEqual('client build', toJson(answered?.client), toJson(buildOf(from.at('client'))));
}

/** The step at which a daemon refuses a HELLO, told apart from outside: each step sees the input of the one before. */
async function verifyHello(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const keys = network(from.at('network'));
  const now = from.number('now');
  const opened = openHello(nodeSync, [keys], bindingOf(from.at('binding')), from.bytes('hello'));
  expectEqual('outer layer opens', opened !== undefined, vector.step !== 'outer');
  if (!opened) return;
  expectEqual('in time', isTimely(opened.time, now), vector.step !== 'time');
  if (vector.step === 'time') return;
  const s1 = await nodeAsymmetric.oaepOpen(keys.serverPrivate, Label.s1, opened.b1);
  expectEqual('block opens', s1 !== undefined, vector.step !== 'block');
  if (!s1) return;
  const innerKey = nodeSync.hkdf(s1, opened.cr, utf8('cadenas/1 hello inner'), 16);
  const struct = nodeSync.aead(innerKey).open(new Uint8Array(12), opened.aad, opened.inner);
  expectEqual('inner layer opens', struct !== undefined, vector.step !== 'inner');
  let asked = false;
  const admit = () => {
    asked = true;
    return Code.done;
  };
  expectEqual('answer', await openInner(ports, opened.keys.serverPrivate, opened, admit), undefined);
  expectEqual('struct accepted', asked, vector.step === 'agreement');
}

async function verifyAck(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const { begun } = await clientOf(from);
  const finished = await begun.finish(from.bytes('ack'));
  expectEqual('ACK opens', finished !== undefined, vector.step !== 'seal');
  if (!finished) return;
  expectEqual('refusal', [finished.header.status, finished.header.code], [2, Code.upgrade]);
  expectEqual('session', finished.session, undefined);
}

function sessions(from: Reader) {
  const make = (role: 'client' | 'daemon'): Session =>
    new Session(nodeSync, role, from.bytes('ck2'), from.bytes('th2'), from.bytes('b1'));
  return { client: make('client'), daemon: make('daemon') };
}

/** One frame sent and received: the sealing gives the recorded bytes, the opening the recorded struct. */
function exchange(ends: ReturnType<typeof sessions>, sent: Reader): void {
  const [from, to] = sent.text('from') === 'client' ? [ends.client, ends.daemon] : [ends.daemon, ends.client];
  from.send.add(sent.bytes('struct'));
  expectEqual('frame', from.send.take(), sent.bytes('frame'));
  const got: Uint8Array[] = [];
  const sound = to.receive.push(sent.bytes('frame'), (struct) => got.push(struct) > 0);
  expectEqual('opened', [sound, got.length], [true, 1]);
  expectEqual('struct', got[0], sent.bytes('struct'));
}

function verifyData(vector: Vector): void {
  const from = new Reader(vector);
  const ends = sessions(from);
  for (const sent of from.rows('frames')) exchange(ends, sent);
  if (vector.expect === 'accepted') return;
  let reached = false;
  const each = (): boolean => (reached = true);
  expectEqual('sound', ends.daemon.receive.push(from.bytes('frame'), each), false);
  expectEqual('reached a handler', reached, false);
}

async function verifyLogin(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const [user, keys, b2] = [from.at('user'), from.at('keys'), from.bytes('b2')];
  const ends = sessions(from);
  const transcript = new LoginTranscript();
  const before = from.rows('before');
  for (const sent of before) {
    exchange(ends, sent);
    transcript.add(sent.bytes('struct'));
  }
  const auth = decode(structs.auth1, before[0]?.bytes('struct') ?? b2);
  if (auth.problem) throw new Error(auth.problem);
  const message = loginMessage(from.bytes('th2'), user.text('name'), auth.values.ke1);
  const signed = await nodeAsymmetric.pssVerify(user.bytes('sigModulus'), Label.login, message, auth.values.signature);
  expectEqual('login signature', signed, true);
  expectEqual(
    's2',
    await nodeAsymmetric.oaepOpen(rsaPrivate(user.bytes('encPrivate')), Label.s2, b2),
    from.bytes('s2'),
  );
  const opaque = from.bytes('opaqueSessionKey');
  const plain = before.map((sent) => sent.bytes('struct'));
  const schedule = loginSchedule(from.bytes('ck2'), from.bytes('th2'), plain, from.bytes('s2'), opaque);
  for (const [name, value] of Object.entries(schedule)) expectEqual(name, value, keys.bytes(name));
  const th3 = transcript.hash(nodeSync, from.bytes('th2'));
  expectEqual('th3', th3, keys.bytes('th3'));
  for (const end of [ends.client, ends.daemon]) end.authenticated(concat(from.bytes('s2'), opaque), th3, b2, noEpochs);
  for (const sent of from.rows('after')) exchange(ends, sent);
}

async function verifyEnvelope(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const who = from.at('who');
  const opened = await openEnvelope(ports, from.bytes('envelope'), {
    recipient: who.bytes('recipient'),
    recipientKeys: who.bytes('recipientKeys'),
    recipientEnc: rsaPrivate(who.bytes('recipientEncPrivate')),
    sender: who.bytes('sender'),
    senderKeys: who.bytes('senderKeys'),
    senderSig: who.bytes('senderSig'),
  });
  expectEqual('problem', opened.problem, vector.step);
  if (opened.problem) return;
  const { parts, part, message } = opened.header;
  if (parts === 1) expectEqual('text', joinText([opened.text]), from.text('text'));
  else expectEqual('bytes', opened.text, from.bytes('bytes'));
  expectEqual('frame', partFrameId(message, part), from.bytes('frame'));
  expectEqual('header', toJson(opened.header), from.at('header').json);
  expectEqual('hash', envelopeHash(nodeSync, from.bytes('envelope')), nodeSync.sha256(from.bytes('envelope')));
}

async function verifyAccount(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const [name, th2] = [from.text('name'), from.bytes('th2')];
  const pair = { enc: from.bytes('enc'), sig: from.bytes('sig') };
  const verify = (label: Uint8Array, message: Uint8Array, signature: string): Promise<boolean> =>
    nodeAsymmetric.pssVerify(pair.sig, label, message, from.bytes(signature));
  expectEqual('login', await verify(Label.login, loginMessage(th2, name, from.bytes('ke1')), 'loginSignature'), true);
  expectEqual('keys', await verify(Label.keys, keysMessage(th2, name, pair.enc, pair.sig), 'keysSignature'), true);
  expectEqual('fingerprint', fingerprint(nodeSync, pair), from.bytes('fingerprint'));
  const proof = wordsProof(nodeSync, from.bytes('exportKey'), from.bytes('w'));
  expectEqual('possession', possession(nodeSync, from.bytes('p'), th2, from.bytes('record')), from.bytes('possession'));
  expectEqual('words', canonicalWords(from.text('typedWords')), from.text('canonicalWords'));
  expectEqual('words proof', proof, from.bytes('wordsProof'));
  expectEqual('words hash', nodeSync.sha256(proof), from.bytes('wordsHash'));
  const files = fileKeys(nodeSync, from.bytes('k'), from.bytes('w'));
  expectEqual('sig file key', sigFileKey(nodeSync, from.bytes('k')), from.bytes('sigFileKey'));
  expectEqual('enc file key', files.enc, from.bytes('encFileKey'));
  expectEqual('state file key', files.state, from.bytes('stateFileKey'));
  for (const [a, b] of [
    ['uid', 'otherUid'],
    ['otherUid', 'uid'],
  ] as const)
    expectEqual('conversation', conversationId(nodeSync, from.bytes(a), from.bytes(b)), from.bytes('conversation'));
}

async function verifyBundle(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const isRequest = vector.kind === 'request';
  const struct = isRequest ? structs.jmpu : structs.ampu;
  const values = fromJson(struct.fields, from.at('values')) as unknown as Request & Acceptance;
  expectEqual('fields', encodeFields(struct, values), from.bytes('fields'));
  const sound = isRequest ? await verifyRequest(ports, values) : await verifyAcceptance(ports, values);
  expectEqual('verified', sound, vector.expect === 'accepted');
  expectEqual('keys that are not refused', keyProblem(values) === undefined, vector.step !== 'modulus');
  if (isRequest && sound) expectEqual('request hash', requestHash(nodeSync, values), from.bytes('requestHash'));
}

function verifyKeys(vector: Vector): void {
  const from = new Reader(vector);
  expectEqual('problem', keyProblem({ enc: from.bytes('enc'), sig: from.bytes('sig') }), vector.step);
}

const verifiers: Readonly<Record<string, (vector: Vector) => void | Promise<void>>> = {
  struct: verifyStruct,
  handshake: verifyHandshake,
  hello: verifyHello,
  ack: verifyAck,
  data: verifyData,
  login: verifyLogin,
  epochs: verifyEpochs,
  envelope: verifyEnvelope,
  account: verifyAccount,
  keys: verifyKeys,
  request: verifyBundle,
  acceptance: verifyBundle,
  'key-change': verifyKeyChange,
  'key-proofs': verifyKeyProofs,
  opaque: verifyOpaque,
  safety: verifySafety,
  'room-key': verifyRoomKey,
  'room-block': verifyRoomBlock,
  'room-head': verifyRoomHead,
  'room-entry': verifyRoomEntry,
  'room-invitation': verifyRoomInvitation,
  'room-message': verifyRoomMessage,
};

/** @throws Error naming what differs, or the unknown kind */
export async function verifyVector(vector: Vector): Promise<void> {
  if ((vector.expect === 'refused') !== (vector.step !== undefined))
    throw new Error('a refusal names its step, and only a refusal');
  const verify = verifiers[vector.kind];
  if (!verify) throw new Error(`vectors: no verifier for the kind ${vector.kind}`);
  await verify(vector);
}
