/** Vectors of a room's id, password, R under it, and the block for one member (SPEC 9.2, 9.3). */
import { Label, concat, utf8 } from '../../protocol/index.js';
import { nodeSync, passwordClient } from '../../src/crypto/index.js';
import type { Case } from './case-struct.js';
import { oaepSealWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import { privateHex, type TestKeys } from './keys.js';
import { EPOCH, flipped, hkdf, place, R, seal256, some, WRAP_KEY } from './room-parts.js';

const PASSWORD = 'Cafe\u0301 con leche, 2 au\u0301n';

function wrapUnder(room: Uint8Array, wrapKey: Uint8Array, epoch: number) {
  const [wrapSalt, at] = [some('wrapSalt', 32), place(room, epoch)];
  return {
    wrapSalt,
    commitment: hkdf(wrapKey, wrapSalt, 'commit', at),
    wrapped: seal256(hkdf(wrapKey, wrapSalt, 'wrap', at), at, R),
  };
}

export async function roomKeyCases(): Promise<readonly Case[]> {
  const [maker, nonce, salt] = [some('maker', 16), some('nonce', 32), some('salt', 16)];
  const room = nodeSync.sha256(utf8('cadenas/1 room id'), maker, nonce).slice(0, 16);
  const stretched = await (await passwordClient()).stretch(PASSWORD.normalize('NFC'), salt);
  const [wrapKey, authKey] = [hkdf(stretched, room, 'room wrap'), hkdf(stretched, room, 'room auth')];
  const sound = { room, epoch: EPOCH, wrapKey, ...wrapUnder(room, wrapKey, EPOCH) };
  const made = { maker, nonce, password: PASSWORD, salt, stretched, authKey, auth: nodeSync.sha256(authKey), key: R };
  const what = 'the id of a room, the keys of its password, and R under it';
  const accepted: Case = [
    'room-key',
    { kind: 'room-key', what, expect: 'accepted', ...(toJson({ ...made, ...sound }) as object) },
  ];
  const refused = (name: string, step: string, why: string, change: Partial<typeof sound>): Case => [
    `room-key-refused-${name}`,
    {
      kind: 'room-key',
      what: `R under a password, refused: ${why}`,
      expect: 'refused',
      step,
      ...(toJson({ ...sound, ...change }) as object),
    },
  ];
  return [
    accepted,
    refused('commitment', 'commitment', 'one bit of the commitment flipped', {
      commitment: flipped(sound.commitment, 7),
    }),
    refused('password', 'commitment', 'the wrapKey of another password', { wrapKey: some('other wrapKey', 32) }),
    refused('epoch', 'commitment', 'the wrap of another epoch', wrapUnder(room, wrapKey, EPOCH - 1)),
    refused('room', 'commitment', 'the wrap of another room', wrapUnder(some('other room', 16), wrapKey, EPOCH)),
    refused('seal', 'seal', 'one bit of the sealed R flipped', { wrapped: flipped(sound.wrapped, 20) }),
    refused('seal-key', 'seal', 'committed to, but sealed under another key', {
      wrapped: seal256(hkdf(some('other', 32), sound.wrapSalt, 'wrap', place(room)), place(room), R),
    }),
  ];
}

export function roomBlockCases(keys: TestKeys): readonly Case[] {
  const encPrivate = privateHex(keys.recipientEnc);
  const block = (label: Uint8Array, plain: Uint8Array, modulus = keys.recipientEnc.modulus): Uint8Array =>
    oaepSealWith(some('seed', 32), modulus, label, plain);
  const both = concat(R, WRAP_KEY);
  const accepted = (name: string, what: string, wrapKey: Uint8Array): Case => {
    const parts = { encPrivate, block: block(Label.room, concat(R, wrapKey)), key: R, wrapKey };
    return [name, { kind: 'room-block', what, expect: 'accepted', ...(toJson(parts) as object) }];
  };
  const refused = (name: string, why: string, bytes: Uint8Array): Case => {
    const what = `the block for one member, refused: ${why}`;
    const parts = toJson({ encPrivate, block: bytes }) as object;
    return [`room-block-refused-${name}`, { kind: 'room-block', what, expect: 'refused', step: 'block', ...parts }];
  };
  return [
    accepted('room-block', 'R and wrapKey for one member', WRAP_KEY),
    accepted('room-block-invitation', 'R for a member of a room without a password', new Uint8Array(32)),
    refused('label', 'under another label', block(Label.pm, both)),
    refused('short', 'R alone', block(Label.room, R)),
    refused('long', 'a byte behind both', block(Label.room, concat(both, new Uint8Array(1)))),
    refused('other', 'for somebody else', block(Label.room, both, keys.senderEnc.modulus)),
    refused('flipped', 'one bit flipped', flipped(block(Label.room, both), 100)),
    refused('none', '256 zeros, as where there is none', new Uint8Array(256)),
  ];
}
