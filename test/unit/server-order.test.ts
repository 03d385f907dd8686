/** Frames that a client sends before the answer to a step of a login (SPEC 6.5). */
import { test } from 'tap';
import { structs } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { startFuzzed } from '../fuzz/daemon-server.js';
import { encodeCommand } from '../support/raw.js';
import { uninvited } from '../support/registration.js';

test('nothing may come behind a step of a login, not even while the step itself waits for its turn', async (t) => {
  const daemon = await startFuzzed(t);
  const some = (length: number): Uint8Array => nodeSync.random(length);
  const { senderEnc, senderSig } = daemon.keys;
  const [enc, sig] = [senderEnc.modulus, senderSig.modulus];
  const id = some(16);
  const crea1 = encodeCommand(structs.crea1, { name: 'alice', enc, sig, opaque: some(32), ...uninvited }, some(16));
  const auth1 = encodeCommand(structs.auth1, { name: 'alice', signature: some(256), ke1: some(96) }, id);
  const auth2 = encodeCommand(structs.auth2, { ke3: some(64) }, some(16));
  for (const frames of [
    [auth1, auth2],
    [crea1, auth1, auth2],
    [crea1, auth1, crea1],
  ]) {
    const raw = daemon.connect();
    await raw.handshake(daemon.linked);
    for (const frame of frames) raw.session.send.add(frame);
    raw.connection.write(raw.session.send.take());
    await t.rejects(raw.answerTo(id), /closed/, 'the connection ends before auth1 is answered');
  }
});
