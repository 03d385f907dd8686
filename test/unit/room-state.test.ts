/** A room's state: its bytes, its longest form, and how one follows from another. */
import { test } from 'tap';
import { ROOM_MEMBERS, RoomKind, RowKind, type ListRow, type RoomHead } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { idKey } from '../../src/server/keys.js';
import {
  crowd,
  entered,
  inTime,
  invited,
  left,
  made,
  proofsOf,
  rotated,
  uninvited,
} from '../../src/server/room-changes.js';
import { readState, writeState, type RoomState, type Row } from '../../src/server/room-state.js';
import { plain } from '../contract/cases.js';

/** What the store takes of a room. */
const STATE_MAX = 512 * 1024;

const some = (length: number): Uint8Array => nodeSync.random(length);
const person = (name: string): ListRow => ({ uid: some(16), name, fingerprint: some(32) });
const head = (epoch: number, owner: Uint8Array): RoomHead => ({
  name: 'lounge',
  epoch,
  previous: some(32),
  owner,
  list: some(32),
  key: some(32),
  signer: owner,
  time: 1_800_000_000_000,
  signature: some(256),
  mac: some(32),
});
const wrap = () => ({ wrapSalt: some(32), commitment: some(32), wrapped: some(48) });
const password = () => ({ salt: some(16), auth: some(32) });
const proofs = () => proofsOf({ time: 7, mac: some(32), signature: some(256) });
const invitation = (inviter: Uint8Array, expires = 1000) => ({
  inviter,
  invitedEpoch: 3,
  expires,
  bound: some(32),
  invitation: some(256),
});

const names = ({ rows }: RoomState): unknown[] => rows.map(({ name, kind }) => [name, kind]);

test('a state is the same when it is read again, with rows of each kind', (t) => {
  const [ann, bob, carol, dave] = ['ann', 'bob', 'carol', 'dave'].map(person) as [ListRow, ListRow, ListRow, ListRow];
  let state = made(RoomKind.password, password(), wrap(), head(1, ann.uid), ann, some(256));
  state = entered(state, bob, some(256), proofs());
  state = rotated(
    state,
    head(2, ann.uid),
    wrap(),
    undefined,
    [],
    new Map([ann, bob].map(({ uid }) => [idKey(uid), some(256)])),
  );
  state = entered(state, carol, some(256), proofs());
  state = invited(state, dave, some(256), invitation(carol.uid));
  state = left(state, [bob.uid]);
  t.same(names(state), [
    ['ann', RowKind.settled],
    ['bob', RowKind.left],
    ['carol', RowKind.entered],
    ['dave', RowKind.invited],
  ]);
  const bytes = writeState(state);
  t.same(plain(readState(bytes)), plain(state));
  t.same(Buffer.compare(writeState(readState(bytes)), bytes), 0);
  t.throws(() => readState(bytes.subarray(0, -1)));
  t.throws(() => readState(Buffer.from([2, ...bytes.subarray(1)])), 'of a newer daemon');
  t.end();
});

test('the longest state that can be fits the store: all left but the owner, and as many entered', (t) => {
  const own = person('owner');
  const rows: Row[] = [{ ...own, kind: RowKind.settled, block: some(256) }];
  const long = (n: number): string => `person${String(n)}`.padEnd(32, 'x');
  for (let n = 1; n < ROOM_MEMBERS; n++) {
    rows.push({ ...person(long(n)), kind: RowKind.left });
    rows.push({ ...person(long(n)), ...proofs(), kind: RowKind.entered, block: some(256) });
  }
  const first = made(RoomKind.password, password(), wrap(), head(1, own.uid), own, some(256));
  const state = { ...first, rows };
  const { length } = writeState(state);
  t.comment(`${String(length)} bytes`);
  t.ok(length <= STATE_MAX);
  t.equal(crowd(state, 0), ROOM_MEMBERS);
  t.end();
});

test('leaving, coming back, and what ends an invitation', (t) => {
  const [ann, bob, carol] = ['ann', 'bob', 'carol'].map(person) as [ListRow, ListRow, ListRow];
  const blocks = (...who: ListRow[]) => new Map(who.map(({ uid }) => [idKey(uid), some(256)]));
  const first = made(RoomKind.password, password(), wrap(), head(1, ann.uid), ann, some(256));
  const two = rotated(
    entered(first, bob, some(256), proofs()),
    head(2, ann.uid),
    wrap(),
    undefined,
    [],
    blocks(ann, bob),
  );
  t.equal(two.salt, first.salt, 'a password stays where none is new');
  const gone = left(two, [bob.uid]);
  t.ok(gone.isClosed);
  const back = entered(gone, bob, some(256), proofs());
  t.same(names(back), [
    ['ann', RowKind.settled],
    ['bob', RowKind.left],
    ['bob', RowKind.entered],
  ]);
  t.same(names(left(back, [bob.uid])), names(gone), 'and leaving again: in the head’s list all the same');
  const open = invited(two, carol, some(256), invitation(bob.uid));
  t.notOk(left(open, [carol.uid]).isClosed, 'an invitee who goes closes nothing');
  t.same(names(left(open, [bob.uid])).at(-1), ['bob', RowKind.left], 'the inviter left');
  t.equal(inTime(open, 999).rows.length, 3);
  t.equal(inTime(open, 1000).rows.length, 2, 'by time');
  t.equal(uninvited(open, carol.uid).rows.length, 2, 'declined');
  t.equal(entered(open, carol, some(256), proofs()).rows.length, 3, 'followed');
  const turned = (removed: Uint8Array[], ...who: ListRow[]) =>
    names(rotated(open, head(3, ann.uid), wrap(), undefined, removed, blocks(...who))).length;
  t.equal(turned([], ann, bob, carol), 3);
  t.equal(turned([], ann, bob), 2, 'no block');
  t.equal(turned([bob.uid], ann, carol), 1, 'the inviter was removed');
  t.end();
});

test('a room without a password keeps nothing that looks like one', (t) => {
  const ann = person('ann');
  const state = made(RoomKind.invitation, password(), wrap(), head(1, ann.uid), ann, some(256));
  const { salt, auth, wrap: kept } = state;
  for (const bytes of [salt, auth, kept.wrapSalt, kept.commitment, kept.wrapped])
    t.ok(bytes.every((byte) => byte === 0));
  t.end();
});
