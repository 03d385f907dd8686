/** Vectors of a room's messages, sealed here from SPEC 9.8 and not by the code: sound ones, one for each reason to refuse. */
import { concat, utf8, type RoomMessageHeader, type RoomMessageProblem } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { NOW } from './case-handshake.js';
import type { Case } from './case-struct.js';
import { pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import type { TestKeys } from './keys.js';
import {
  EPOCH,
  flipped,
  hkdf,
  place,
  R,
  ROOM,
  roomPeople,
  seal256,
  some,
  uint,
  words,
  type Member,
} from './room-parts.js';

const TEXT = 'Que tal? Tot bé 🔒';
const FULL = 1024;

interface Change {
  readonly name: string;
  readonly what: string;
  readonly step: RoomMessageProblem;
  readonly header?: Partial<RoomMessageHeader>;
  readonly text?: Uint8Array;
  readonly length?: number;
  readonly tail?: number;
  /** under which it is sealed, and of which the signature is */
  readonly r?: Uint8Array;
  readonly signedUnder?: Uint8Array;
  readonly signed?: Partial<RoomMessageHeader>;
  readonly signer?: 'ben';
  readonly label?: string;
  /** on the way */
  readonly after?: (message: Sealed) => Partial<Sealed>;
}
type Sealed = RoomMessageHeader & { readonly salt: Uint8Array; readonly sealed: Uint8Array };

const changes: readonly Change[] = [
  { name: 'parts', what: 'a message of 65 parts', step: 'header', header: { parts: 65 }, text: some('text', FULL) },
  { name: 'parts-none', what: 'a message of no parts', step: 'header', header: { parts: 0 } },
  { name: 'part', what: 'part 1 of 1, counted from 0', step: 'header', header: { part: 1 } },
  {
    name: 'sequence',
    what: 'part 7, counted from 0, with sequence 7: the first would have 0',
    step: 'header',
    header: { part: 7, parts: 8 },
  },
  { name: 'key', what: 'sealed under another R', step: 'seal', r: some('other R', 32) },
  {
    name: 'salt',
    what: 'one bit of the salt flipped',
    step: 'seal',
    after: ({ salt }) => ({ salt: flipped(salt, 3) }),
  },
  {
    name: 'seal',
    what: 'one bit of the sealed part flipped',
    step: 'seal',
    after: ({ sealed }) => ({ sealed: flipped(sealed, 300) }),
  },
  {
    name: 'sender',
    what: 'another sender in the header than sealed it',
    step: 'seal',
    after: () => ({ sender: some('ben', 16) }),
  },
  { name: 'room', what: 'handed on in another room', step: 'seal', after: () => ({ room: some('other room', 16) }) },
  { name: 'epoch', what: 'handed on in another epoch', step: 'seal', after: () => ({ epoch: EPOCH + 1 }) },
  { name: 'time', what: 'the time changed on the way', step: 'seal', after: ({ time }) => ({ time: time + 1 }) },
  { name: 'text-empty', what: 'a text of no bytes', step: 'text', text: new Uint8Array(0) },
  { name: 'text-length', what: 'a length of 1,025', step: 'text', length: FULL + 1 },
  { name: 'text-padding', what: 'a byte behind the text', step: 'text', tail: 1 },
  { name: 'text-utf8', what: 'a text that is not UTF-8', step: 'text', text: Uint8Array.of(0x61, 0xff) },
  {
    name: 'text-short',
    what: 'a part of 1,023 bytes that is not the last',
    step: 'text',
    header: { parts: 2 },
    text: some('text', FULL - 1),
  },
  { name: 'signature', what: 'signed by another member', step: 'signature', signer: 'ben' },
  { name: 'signature-header', what: 'a signature over another header', step: 'signature', signed: { sequence: 8 } },
  {
    name: 'signature-epoch',
    what: 'said in the epoch before, sealed again for this one',
    step: 'signature',
    signed: { epoch: EPOCH - 1 },
  },
  {
    name: 'signature-key',
    what: 'said under another R of the same epoch, sealed again under this one',
    step: 'signature',
    signedUnder: some('other R', 32),
  },
  { name: 'signature-label', what: 'signed under the label of private messages', step: 'signature', label: 'pm' },
];

function headerBytes(of: RoomMessageHeader): Uint8Array {
  const to = concat(of.room, uint(4, of.epoch), of.sender, of.message, uint(8, of.sequence), uint(8, of.time));
  return concat(to, of.previous, uint(2, of.part), uint(2, of.parts));
}

function sealedMessage(by: { readonly ann: Member; readonly ben: Member }, change: Partial<Change>): Sealed {
  const header: RoomMessageHeader = {
    room: ROOM,
    epoch: EPOCH,
    sender: by.ann.uid,
    message: some('message', 16),
    sequence: 7,
    time: NOW,
    previous: some('previous message', 32),
    part: 0,
    parts: 1,
    ...change.header,
  };
  const [hdr, salt, text] = [headerBytes(header), some('message salt', 32), change.text ?? utf8(TEXT)];
  const said = { ...header, ...change.signed };
  const key = hkdf(change.signedUnder ?? R, said.room, 'room key', place(said.room, said.epoch));
  const message = concat(headerBytes(said), key, nodeSync.sha256(text));
  const signer = by[change.signer ?? 'ann'].sig;
  const inner = concat(
    pssSignWith(some('message pss', 32), signer, words(change.label ?? 'room'), message),
    uint(2, change.length ?? text.length),
    text,
    new Uint8Array(FULL - text.length).fill(change.tail ?? 0, 0, 1),
  );
  const messageKey = hkdf(change.r ?? R, salt, 'room message', nodeSync.sha256(hdr));
  const sealed = { ...header, salt, sealed: seal256(messageKey, concat(hdr, salt), inner) };
  return { ...sealed, ...change.after?.(sealed) };
}

export function roomMessageCases(keys: TestKeys): readonly Case[] {
  const by = roomPeople(keys);
  const vector = (message: Sealed) => ({ key: R, senderSig: by.ann.sig.modulus, message });
  const accepted = (file: string, what: string, said: { text: string } | { bytes: Uint8Array }, header = {}): Case => {
    const message = sealedMessage(by, { header, text: 'text' in said ? utf8(said.text) : said.bytes });
    const hash = nodeSync.sha256(headerBytes(message), message.salt, message.sealed);
    const frame = Uint8Array.from(message.message);
    frame[15] = (frame[15] ?? 0) ^ message.part;
    const parts = toJson({ ...vector(message), ...said, hash, frame }) as object;
    return [file, { kind: 'room-message', what, expect: 'accepted', ...parts }];
  };
  const whole = utf8(`x${'ž'.repeat(1500)}`);
  const refused = changes.map((change): Case => {
    const { name, step, what } = change;
    const parts = toJson(vector(sealedMessage(by, change))) as object;
    const vectorOf = {
      kind: 'room-message',
      what: `a room's message refused: ${what}`,
      expect: 'refused',
      step,
    } as const;
    return [`room-message-refused-${name}`, { ...vectorOf, ...parts }];
  });
  return [
    accepted('room-message', 'a message in a room', { text: TEXT }),
    accepted(
      'room-message-part',
      'the middle part of three: it begins and ends within a character',
      { bytes: whole.slice(FULL, 2 * FULL) },
      { sequence: 9, part: 1, parts: 3 },
    ),
    ...refused,
  ];
}
