/** What a daemon and members that are hostile do to clients of this process: at the daemon's inside, and with R. */
import {
  encode,
  encodeFields,
  decode,
  fingerprint,
  fromHex,
  hex,
  ID,
  invitationBound,
  listHash,
  readFields,
  roomCommitment,
  RoomKind,
  sealRoomKeys,
  sealRoomMessage,
  signEntry,
  signHead,
  signInvitation,
  noInvitation,
  structs,
  utf8,
  type Code,
  type RoomMessage,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import type { Reply } from '../../src/client/answers.js';
import { IDENTITY_FILE, openIdentity, type Me } from '../../src/client/identity.js';
import type { ClientStorage, Item } from '../../src/client/index.js';
import { Journal } from '../../src/client/journal.js';
import { Link } from '../../src/client/link.js';
import type { Room as RoomRow, State } from '../../src/client/state.js';
import type { RoomState } from '../../src/server/room-state.js';
import type { Context } from '../../src/server/context.js';
import type { QueueEntry } from '../../src/store/store.js';
import { secrets } from '../unit/client-parties.js';
import { clientCrypto, MovableClock } from '../unit/client-support.js';
import { startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import { atServer, type Guest, type Host } from './room-lab.js';
import { noSecurity } from '../../src/store/store.js';
import type { Teardown } from './temp.js';

export const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };

/** Keys that nobody registered, or that somebody did. */
export interface Soul {
  readonly uid: Uint8Array;
  readonly name: string;
  readonly enc: NodeRsaPrivate;
  readonly sig: NodeRsaPrivate;
}

/** What a client knows, as it is on its disk. */
export interface Inside extends Soul {
  readonly state: State;
}

type Struck = { readonly to: string; readonly name: string; readonly values: Values<Struct> };
type AnyStruct = (typeof structs)[keyof typeof structs];
export type Asked = (
  struct: Struct,
  values: Values<Struct>,
  next: (changed?: Values<Struct>) => Promise<Reply>,
) => Promise<Reply>;

const byOpcode = new Map<number, Struct>(
  Object.values(structs as Record<string, AnyStruct>)
    .filter(({ from }) => from === 'daemon')
    .map((struct) => [struct.opcode, struct] as const),
);

export interface Lab {
  readonly server: FuzzedDaemon;
  readonly host: Host;
  /** events on their way to somebody's name; true: withheld */
  drop: (to: Uint8Array, struct: string, values: Values<Struct>) => boolean;
  /** what was put into queues, by the name of the struct */
  readonly passed: Struck[];
  /** what a guest's client asks, as a daemon might answer it */
  asked: (guest: ClientStorage, ...of: Parameters<Asked>) => Promise<Reply>;
}

const MANY = 1_000_000;

export async function openLab(t: Teardown): Promise<Lab> {
  const server = await startFuzzed(t);
  Object.assign(server.context.limits, {
    'rooms-per-user': MANY,
  });
  const lab: Lab = {
    server,
    host: atServer(server),
    drop: () => false,
    passed: [],
    asked: (_guest, _struct, _values, next) => next(),
  };
  const context = server.context as { deliver: Context['deliver'] };
  const honest = context.deliver;
  context.deliver = (to, entry, settle, key) => {
    const struct = byOpcode.get(entry.opcode);
    const values = struct && (readFields(struct.fields, entry.fields, 0) as Values<Struct>);
    if (struct && values) {
      lab.passed.push({ to: hex(to), name: struct.name, values });
      if (lab.drop(to, struct.name, values)) {
        settle(200);
        return;
      }
    }
    honest(to, entry, settle, key);
  };
  const owners = new WeakMap<Link, ClientStorage>();
  const patched = Link as unknown as { open: typeof Link.open };
  const open = Link.open.bind(Link);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the link that it is asked of
  const request = Link.prototype.request;
  patched.open = async (given, onEvent) => {
    const link = await open(given, onEvent);
    owners.set(link, given.storage);
    return link;
  };
  Link.prototype.request = function (this: Link, struct, values, more) {
    const owner = owners.get(this);
    const next = (changed?: Values<Struct>): Promise<Reply> =>
      request.call(this, struct, changed ?? (values as Values<Struct>), more);
    return owner ? lab.asked(owner, struct, values, next) : next();
  };
  t.teardown(() => {
    patched.open = open;
    Link.prototype.request = request;
  });
  return lab;
}

/** The same answer with other fields. */
export function altered<S extends Struct>(reply: Reply, struct: S, change: Partial<Values<S>>): Reply {
  const decoded = decode(struct, reply.struct);
  if (decoded.problem) throw new Error(decoded.problem);
  return { ...reply, struct: encode(struct, decoded.header, { ...decoded.values, ...change }) };
}

export function answerOf(reply: Reply, code: Code): Reply {
  return { ...reply, code, isError: code >= 300 };
}

/** Everything on a client's disk, opened. */
export async function inside({ host }: Pick<Lab, 'host'>, guest: Pick<Guest, 'storage'>): Promise<Inside> {
  const crypto = await clientCrypto();
  const storage = guest.storage.copy();
  const identity = storage.files.get(IDENTITY_FILE) ?? new Uint8Array(0);
  const me: Me = await openIdentity(crypto, host.linked.network, identity, secrets);
  const given = { ...host, crypto, storage, clock: new MovableClock(), log: () => undefined };
  const { state } = await Journal.open(given, me.stateKey);
  return { uid: me.uid, name: me.name, enc: me.enc as NodeRsaPrivate, sig: me.sig as NodeRsaPrivate, state };
}

export function roomOf({ state }: Inside, name: string): RoomRow {
  const room = state.rooms.get(`#${name}`);
  if (!room) throw new Error(`no room ${name}`);
  return room;
}

/** Hands an event to somebody. Resolves with the code when it is acknowledged, or in their queue. */
export function inject<S extends Struct>(lab: Lab, to: Uint8Array, struct: S, values: Values<S>): Promise<Code> {
  const { context } = lab.server;
  const id = context.nextId();
  const fields = encodeFields(struct, values);
  const from = (values as unknown as { room?: Uint8Array }).room?.slice(0, ID) ?? id;
  const entry: QueueEntry = { id, opcode: struct.opcode, from, key: id, time: Date.now(), fields };
  const { drop } = lab;
  lab.drop = () => false;
  const done = new Promise<Code>((resolve) => {
    context.deliver(to, entry, resolve);
  });
  lab.drop = drop;
  return done;
}

export async function ghostOf(lab: Lab, name: string): Promise<Soul> {
  const { store, keys } = lab.server;
  const [uid, enc, sig] = [nodeSync.random(16), keys.senderEnc, keys.senderSig];
  /* With an account, of whatever name: whoever has none is taken out of a room when it is looked at. */
  const rest = { record: nodeSync.random(192), words: nodeSync.random(32), created: 1, security: noSecurity };
  const own = `ghost_${hex(uid).slice(0, 16)}`;
  await store.createAccount({ uid, name: own, enc: enc.modulus, sig: sig.modulus, ...rest });
  return { uid, name, enc, sig };
}

/** An entry, as somebody would make it who knows `key`. */
export async function entryOf(
  soul: Soul,
  room: RoomRow,
  key: Uint8Array,
  change: Partial<Values<typeof structs.enrm>> = {},
): Promise<Values<typeof structs.enrm>> {
  const at = { room: fromHex(room.id), epoch: room.epoch };
  const { uid, name, enc, sig } = soul;
  const fields = { uid, name, enc: enc.modulus, sig: sig.modulus, time: Date.now(), ...noInvitation };
  const entry = await signEntry(ports, at, fields, sig, key);
  return { ...entry, ...at, version: room.version + 1, ...change };
}

/** A message, as somebody would make it who knows `key`, signed by `by`. */
export function messageOf(
  soul: Soul,
  room: RoomRow,
  text: string,
  change: Partial<Omit<RoomMessage, 'salt' | 'sealed'>> = {},
  by: NodeRsaPrivate = soul.sig,
  key: Uint8Array = fromHex(room.secret ?? ''),
): Promise<RoomMessage> {
  const fields = {
    room: fromHex(room.id),
    epoch: room.epoch,
    sender: soul.uid,
    message: nodeSync.random(16),
    sequence: 1,
    previous: new Uint8Array(32),
    part: 0,
    parts: 1,
    time: Date.now(),
    ...change,
  };
  return sealRoomMessage(ports, fields, utf8(text), key, by);
}

/** An invitation as a member makes it, but for what is said otherwise. */
export async function invitationOf(
  inviter: Soul,
  invitee: Soul,
  room: RoomRow,
  change: { readonly name?: string; readonly expires?: number; readonly block?: Uint8Array } = {},
): Promise<Values<typeof structs.ivrm>> {
  const id = fromHex(room.id);
  const { name = room.key.slice(1), expires = Date.now() + 3600_000 } = change;
  const keys = { key: fromHex(room.secret ?? ''), wrapKey: fromHex(room.wrapKey) };
  const block = change.block ?? (await sealRoomKeys(ports, invitee.enc.modulus, keys));
  const head = fromHex(room.head);
  const bound = invitationBound(nodeSync, head, block);
  const who = { uid: invitee.uid, enc: invitee.enc.modulus, sig: invitee.sig.modulus };
  const fields = { inviter: inviter.uid, invitedEpoch: room.epoch, expires, bound };
  const invitation = await signInvitation(ports, { room: id, name }, who, fields, inviter.sig);
  const kind = room.kind === 'password' ? RoomKind.password : RoomKind.invitation;
  return { room: id, name, kind, inviter: inviter.uid, epoch: room.epoch, expires, head, block, invitation };
}

export interface Drawn {
  readonly signer: Soul;
  readonly sig?: NodeRsaPrivate;
  /** the `enc` modulus that the block is for */
  readonly to: Uint8Array;
  readonly list: readonly Soul[];
  readonly owner?: Uint8Array;
  readonly previous?: Uint8Array;
  readonly epoch?: number;
  /** R that the head is about */
  readonly key?: Uint8Array;
  /** R that the block gives */
  readonly given?: Uint8Array;
  readonly wrapKey?: Uint8Array;
  readonly removed?: readonly Soul[];
  readonly change?: Partial<Values<typeof structs.chrm>>;
}

/** A `chrm`, sound unless it is drawn otherwise. */
export async function changeOf(room: RoomRow, drawn: Drawn): Promise<Values<typeof structs.chrm>> {
  const id = fromHex(room.id);
  const key = drawn.key ?? nodeSync.random(32);
  const epoch = drawn.epoch ?? room.epoch + 1;
  const rows = drawn.list.map((soul) => rowOf(soul));
  const head = await signHead(
    ports,
    id,
    {
      name: room.key.slice(1),
      epoch,
      previous: drawn.previous ?? fromHex(room.head),
      owner: drawn.owner ?? fromHex(room.owner),
      list: listHash(nodeSync, id, rows),
      key: roomCommitment(nodeSync, { room: id, epoch }, key),
      signer: drawn.signer.uid,
      time: Date.now(),
    },
    drawn.sig ?? drawn.signer.sig,
    key,
  );
  const keys = { key: drawn.given ?? key, wrapKey: drawn.wrapKey ?? fromHex(room.wrapKey) };
  const removed = (drawn.removed ?? []).map(({ uid }) => ({ uid }));
  const block = await sealRoomKeys(ports, drawn.to, keys);
  return { ...head, room: id, version: room.version + 1, renewed: 0, block, removed, ...drawn.change };
}

/** The same change as a look at the room tells it (strm). */
export async function changeSeen(room: RoomRow, drawn: Drawn) {
  const { removed: _removed, renewed: _renewed, room: _room, ...head } = await changeOf(room, drawn);
  return head;
}

export function rowOf({ uid, name, enc, sig }: Soul) {
  return { uid, name, fingerprint: fingerprint(nodeSync, { enc: enc.modulus, sig: sig.modulus }) };
}

/** The daemon's state of a room, as its operator would change it: durably, with or without a word to anybody. */
export async function tamper(lab: Lab, room: RoomRow, change: (state: RoomState) => RoomState): Promise<void> {
  const { rooms } = lab.server.context;
  await rooms.inTurn(fromHex(room.id), async (found) => {
    if (!found) throw new Error('no such room at the daemon');
    await rooms.change(found, change(found.state), () => undefined);
  });
}

/** Notices and texts of a room that were not read, as `kind name detail` and `name: text`. */
export async function shown(guest: Guest, room: string): Promise<string[]> {
  const { items } = await guest.core.call('unread', {});
  return items.flatMap((item) => (item.room === room ? [asLine(item)] : []));
}

function asLine(item: Item): string {
  return item.type === 'message'
    ? `${item.from}: ${item.text}`
    : [item.kind, item.name, item.detail].filter((word) => word !== '').join(' ');
}

/** All that was not read is read: a test begins with nothing. */
export async function readAll(...guests: readonly Guest[]): Promise<void> {
  for (const { core } of guests)
    for (;;) {
      const { items } = await core.call('unread', {});
      if (items.length === 0) break;
      await core.call('read', { keys: items.map(({ key }) => key) });
    }
}

/** Of errors: code and exit. */
export function failure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (thrown: unknown) => {
      const { code, exit } = thrown as { code?: string; exit?: number };
      return code === undefined ? String(thrown) : `${code} ${String(exit)}`;
    },
  );
}

const LOOK_MS = 50;

/** Resolves when it is so: looked at with each event of the client, and now and then, since not all of it makes one. */
export async function until(guest: Guest, isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo()))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_MS);
      const stop = guest.core.on(() => {
        stop();
        clearTimeout(timer);
        resolve();
      });
    });
}
