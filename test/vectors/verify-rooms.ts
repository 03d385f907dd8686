/** Vectors of SPEC 9 through the code: the reading side of each. */
import {
  canonicalPassword,
  checkEntry,
  entryMessage,
  headHash,
  headMessage,
  hex,
  invitationBound,
  joinText,
  listHash,
  openRoomKeys,
  openRoomMessage,
  partFrameId,
  provesKey,
  roomAuthHash,
  roomCommitment,
  roomId,
  roomMessageHash,
  roomSecrets,
  structs,
  unwrapRoomKey,
  verifyHead,
  verifyInvitation,
  type RoomEntry,
  type RoomHead,
  type RoomMessage,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, passwordClient, rsaPrivate } from '../../src/crypto/index.js';
import type { Vector } from './format.js';
import { expectEqual, fromJson, Reader } from './reader.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const headFields = structs.chrm.fields.filter(
  ({ kind, name }) => kind !== 'list' && !/^(room|version|renewed|block)$/.test(name),
);
const entryFields = structs.enrm.fields.filter(({ name }) => !/^(room|version|epoch)$/.test(name));
const placeOf = (from: Reader) => ({ room: from.bytes('room'), epoch: from.number('epoch') });

export async function verifyRoomKey(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const wrap = {
    wrapSalt: from.bytes('wrapSalt'),
    commitment: from.bytes('commitment'),
    wrapped: from.bytes('wrapped'),
  };
  const unwrapped = unwrapRoomKey(nodeSync, placeOf(from), from.bytes('wrapKey'), wrap);
  expectEqual('problem', unwrapped.problem, vector.step);
  if (unwrapped.problem) return;
  expectEqual('key', unwrapped.key, from.bytes('key'));
  expectEqual('room', roomId(nodeSync, from.bytes('maker'), from.bytes('nonce')), from.bytes('room'));
  const password = canonicalPassword(from.text('password'));
  const stretched = await (await passwordClient()).stretch(password, from.bytes('salt'));
  expectEqual('stretched', stretched, from.bytes('stretched'));
  const secrets = roomSecrets(nodeSync, from.bytes('room'), stretched);
  expectEqual('wrapKey', secrets.wrapKey, from.bytes('wrapKey'));
  expectEqual('authKey', secrets.auth, from.bytes('authKey'));
  expectEqual('auth', roomAuthHash(nodeSync, secrets.auth), from.bytes('auth'));
}

export async function verifyRoomBlock(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const keys = await openRoomKeys(ports, rsaPrivate(from.bytes('encPrivate')), from.bytes('block'));
  expectEqual('opens', keys !== undefined, vector.expect === 'accepted');
  if (!keys) return expectEqual('step', vector.step, 'block');
  expectEqual('key', keys.key, from.bytes('key'));
  expectEqual('wrapKey', keys.wrapKey, from.bytes('wrapKey'));
}

/** The first of what SPEC 9.5 says that a head does not keep. */
async function headProblem(from: Reader, head: RoomHead): Promise<string | undefined> {
  const [room, key] = [from.bytes('room'), from.bytes('key')];
  const rows = from.rows('members').map((row) => {
    return { uid: row.bytes('uid'), name: row.text('name'), fingerprint: row.bytes('fingerprint') };
  });
  if (!(await verifyHead(ports, room, head, from.bytes('signerSig')))) return 'signature';
  if (hex(listHash(nodeSync, room, rows)) !== hex(head.list)) return 'list';
  if (hex(roomCommitment(nodeSync, { room, epoch: head.epoch }, key)) !== hex(head.key)) return 'key';
  return provesKey(nodeSync, room, head, key) ? undefined : 'mac';
}

export async function verifyRoomHead(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const head = fromJson(headFields, from.at('head')) as unknown as RoomHead;
  const problem = await headProblem(from, head);
  expectEqual('problem', problem, vector.step);
  /* Of one that is refused for its R, nothing is proven. */
  if (problem === 'key') expectEqual('proves', provesKey(nodeSync, from.bytes('room'), head, from.bytes('key')), false);
  if (problem) return;
  expectEqual('message', headMessage(from.bytes('room'), head), from.bytes('message'));
  expectEqual('hash', headHash(nodeSync, from.bytes('room'), head), from.bytes('hash'));
}

export async function verifyRoomEntry(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const entry = fromJson(entryFields, from.at('entry')) as unknown as RoomEntry;
  const at = { ...placeOf(from), name: from.text('name') };
  const members = new Map(from.rows('members').map((row) => [row.text('uid'), row.bytes('sig')]));
  const inviterSig = (uid: Uint8Array): Uint8Array | undefined => members.get(hex(uid));
  const problem = await checkEntry(ports, at, entry, from.bytes('key'), inviterSig, from.number('roomKind') === 1);
  expectEqual('problem', problem, vector.step);
  if (!problem) expectEqual('message', entryMessage(at, entry), from.bytes('message'));
}

export async function verifyRoomInvitation(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const invitee = from.at('invitee');
  const bound = invitationBound(nodeSync, from.bytes('head'), from.bytes('block'));
  const sound = await verifyInvitation(
    ports,
    { room: from.bytes('room'), name: from.text('name') },
    { uid: invitee.bytes('uid'), enc: invitee.bytes('enc'), sig: invitee.bytes('sig') },
    {
      inviter: from.bytes('inviter'),
      invitedEpoch: from.number('epoch'),
      expires: from.number('expires'),
      bound,
      invitation: from.bytes('invitation'),
    },
    from.bytes('inviterSig'),
  );
  expectEqual('verified', sound ? undefined : 'invitation', vector.step);
  if (sound) expectEqual('bound', bound, from.bytes('bound'));
}

export async function verifyRoomMessage(vector: Vector): Promise<void> {
  const from = new Reader(vector);
  const message = fromJson(structs.srms.fields, from.at('message')) as unknown as RoomMessage;
  const opened = await openRoomMessage(ports, message, from.bytes('key'), from.bytes('senderSig'));
  expectEqual('problem', opened.problem, vector.step);
  if (opened.problem) return;
  if (message.parts === 1) expectEqual('text', joinText([opened.text]), from.text('text'));
  else expectEqual('bytes', opened.text, from.bytes('bytes'));
  expectEqual('hash', roomMessageHash(nodeSync, message), from.bytes('hash'));
  expectEqual('frame', partFrameId(message.message, message.part), from.bytes('frame'));
}
