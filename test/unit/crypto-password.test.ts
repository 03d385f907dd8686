/** OPAQUE and the stretching of secrets: sizes, agreement, and every way in which a login fails (SPEC 6.1). */
import { test } from 'tap';
import {
  hex,
  OPAQUE_KE1,
  OPAQUE_KE2,
  OPAQUE_KE3,
  OPAQUE_RECORD,
  OPAQUE_REQUEST,
  OPAQUE_RESPONSE,
} from '../../protocol/index.js';
import { createOpaqueSetup, passwordClient, passwordServer } from '../../src/crypto/index.js';
import { Seeded } from '../vectors/seeded.js';

const some = (what: string, length: number): Uint8Array => new Seeded(`password ${what}`).bytes(length);
/** Of this very call, by another implementation (@noble/hashes). */
const ARGON2ID = 'a6391d6a4881c0e9246af3e2ac88c04e3bd880649e2600fc0b2189648b43b2f9';
const uid = some('uid', 16);
const client = await passwordClient();
const server = await passwordServer(await createOpaqueSetup());

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('OPAQUE refused what is sound');
  return value;
}

const asked = client.registrationStart('correct horse');
const response = present(await server.registrationResponse(uid, asked.request));
const registered = present(client.registrationFinish('correct horse', asked.state, response));

test('a registration has the sizes of the layouts', (t) => {
  t.equal(asked.request.length, OPAQUE_REQUEST);
  t.equal(response.length, OPAQUE_RESPONSE);
  t.equal(registered.record.length, OPAQUE_RECORD);
  t.equal(registered.exportKey.length, 64);
  t.end();
});

test('a login gives both the same key, and the client its export key again', async (t) => {
  const begun = client.loginStart('correct horse');
  t.equal(begun.ke1.length, OPAQUE_KE1);
  const answered = present(await server.loginResponse(uid, registered.record, begun.ke1));
  t.equal(answered.ke2.length, OPAQUE_KE2);
  const proven = present(client.loginFinish('correct horse', begun.state, answered.ke2));
  t.equal(proven.ke3.length, OPAQUE_KE3);
  t.equal(proven.sessionKey.length, 64);
  t.equal(hex(proven.exportKey), hex(registered.exportKey));
  t.equal(hex(present(await server.loginFinish(answered.state, proven.ke3))), hex(proven.sessionKey));
  t.equal(await server.loginFinish(answered.state, some('ke3', OPAQUE_KE3)), undefined, 'random bytes prove nothing');
  t.equal(await server.loginFinish(answered.state, proven.ke3.subarray(1)), undefined, 'one byte short');
});

test('another password, identifier, server or damaged KE2 fails with the client', async (t) => {
  const begun = client.loginStart('wrong horse');
  const answered = present(await server.loginResponse(uid, registered.record, begun.ke1));
  t.equal(client.loginFinish('wrong horse', begun.state, answered.ke2), undefined, 'password');
  const right = client.loginStart('correct horse');
  const byOther = present(await server.loginResponse(some('other uid', 16), registered.record, right.ke1));
  t.equal(client.loginFinish('correct horse', right.state, byOther.ke2), undefined, 'identifier');
  const stranger = await passwordServer(await createOpaqueSetup());
  const byStranger = present(await stranger.loginResponse(uid, registered.record, right.ke1));
  t.equal(client.loginFinish('correct horse', right.state, byStranger.ke2), undefined, 'server');
  const sound = present(await server.loginResponse(uid, registered.record, right.ke1));
  const damaged = Uint8Array.from(sound.ke2, (byte, i) => (i === 100 ? byte ^ 1 : byte));
  t.equal(client.loginFinish('correct horse', right.state, damaged), undefined, 'one bit of KE2');
  t.equal(client.loginFinish('correct horse', right.state, sound.ke2.subarray(1)), undefined, 'KE2 one byte short');
});

test('who is unknown gets a KE2 like any other', async (t) => {
  const begun = client.loginStart('correct horse');
  const decoy = present(await server.loginResponse(some('nobody', 16), undefined, begun.ke1));
  t.equal(decoy.ke2.length, OPAQUE_KE2);
  t.equal(client.loginFinish('correct horse', begun.state, decoy.ke2), undefined);
  t.equal(await server.loginFinish(decoy.state, some('ke3', OPAQUE_KE3)), undefined);
});

test('what is no group element is refused, not thrown', async (t) => {
  for (const bytes of [new Uint8Array(OPAQUE_REQUEST), new Uint8Array(OPAQUE_REQUEST).fill(0xff), new Uint8Array(3)])
    t.equal(await server.registrationResponse(uid, bytes), undefined);
  for (const bytes of [new Uint8Array(OPAQUE_KE1), new Uint8Array(OPAQUE_KE1).fill(0xff), new Uint8Array(0)]) {
    t.equal(await server.loginResponse(uid, registered.record, bytes), undefined);
    t.equal(await server.loginResponse(uid, undefined, bytes), undefined, 'a decoy tells nothing more');
  }
  const { state } = client.registrationStart('correct horse');
  t.equal(client.registrationFinish('correct horse', state, new Uint8Array(OPAQUE_RESPONSE)), undefined);
});

test('stretching: Argon2id, 64 MiB, three passes, one lane, 32 bytes', async (t) => {
  const salt = new Uint8Array(16).fill(2);
  const stretched = await client.stretch('secret', salt);
  t.equal(hex(stretched), ARGON2ID);
  t.not(
    hex(
      await client.stretch(
        'secret',
        salt.map(() => 3),
      ),
    ),
    ARGON2ID,
  );
  t.not(hex(await client.stretch('Secret', salt)), ARGON2ID);
});
