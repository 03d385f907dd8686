/** crea, in two steps (SPEC 6.2). */
import {
  Code,
  copy,
  HASH,
  ID,
  isPlausibleModulus,
  keysMessage,
  Label,
  possession,
  samePublic,
  structs,
} from '../../../protocol/index.js';
import type { Handler } from '../handler.js';

export const begin: Handler<typeof structs.crea1> = async (context, peer, values, reply) => {
  const { store, sync, work, budgets } = context;
  peer.become('open');
  const wait = await budgets.take('registrations', peer.source);
  if (wait > 0) {
    reply.fail(Code.limited, wait);
    return;
  }
  const { name, enc, sig, opaque } = values;
  if (!isPlausibleModulus(enc) || !isPlausibleModulus(sig) || samePublic(enc, sig)) {
    reply.fail(Code.malformed);
    return;
  }
  if (await store.accountByName(name)) {
    reply.fail(Code.conflict);
    return;
  }
  const uid = sync.random(ID);
  const p = sync.random(HASH);
  const answer = await work.answerRegistration(enc, p, uid, opaque);
  if (!answer) {
    reply.fail(Code.malformed);
    return;
  }
  peer.become('registering');
  peer.registration = { uid, name, enc: copy(enc), sig: copy(sig), possession: p };
  reply.progress(structs.crea1Answer, { uid, block: answer.block, opaque: answer.response }, Code.proceed);
};

export const finish: Handler<typeof structs.crea2> = async (context, peer, values, reply) => {
  const { store, sync, work, log, now } = context;
  const pending = peer.registration;
  peer.become('open');
  if (!pending) {
    reply.fail(Code.conflict);
    return;
  }
  const { uid, name, enc, sig } = pending;
  const { record, words } = values;
  const message = keysMessage(peer.th2, name, enc, sig);
  const opened = sync.equal(values.mac, possession(sync, pending.possession, peer.th2, record));
  const signed = await work.verify(Label.keys, sig, message, values.signature);
  if (!opened || !signed) {
    reply.fail(Code.authentication);
    return;
  }
  const created = await store.createAccount({ uid, name, enc, sig, record, words, created: now() });
  if (created !== 'created') {
    reply.fail(created === 'taken' ? Code.conflict : Code.limited);
    return;
  }
  log.info('registered', { uid: Buffer.from(uid).toString('hex') });
  reply.finish(structs.answer, { wait: 0 });
};
