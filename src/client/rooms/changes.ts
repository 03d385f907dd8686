/** Events about who is in a room, in the order in which they happened (SPEC 9.6, 9.7, 9.9). */
import {
  checkEntry,
  Departure,
  fromHex,
  headHash,
  hex,
  invitationBound,
  isZero,
  openRoomKeys,
  provesKey,
  RoomKind,
  samePublic,
  verifyHead,
  verifyInvitation,
  type RoomEntry,
  type structs,
  type Values,
} from '../../../protocol/index.js';
import { cryptoOf, notice, stateOf, type Desk } from '../desk.js';
import type { Event } from '../reducer.js';
import { contactByUid, noChain, ROOMS_MAX, type Member, type Room } from '../state.js';
import { keyOfRoom, memberKey, roomName } from './names.js';
import {
  contradictsPins,
  fitsKind,
  formersOf,
  isSpent,
  isTaken,
  listOf,
  memberByUid,
  memberEvents,
  memberKeys,
  membersOf,
  roomById,
  rowsOf,
} from './roster.js';

type Entered = Values<(typeof structs)['enrm']>;
type Left = Values<(typeof structs)['lfrm']>;
type Changed = Values<(typeof structs)['chrm']>;
type InvitedTo = Values<(typeof structs)['ivrm']>;
type Offered = Values<(typeof structs)['ofrm']>;

const noSecret = new Uint8Array(0);

/** The step at which a change of the key is refused, in the order of SPEC 9.9. */
type ChangeProblem = 'previous' | 'signer' | 'signature' | 'right' | 'list' | 'owner';

export interface ChangesParts {
  readonly desk: Desk;
  /** something does not fit what is known of a room: it is looked at */
  readonly lookSoon: (room: string) => void;
  /** texts may go to the room, or have to be sealed anew */
  readonly opened: (room: string) => void;
  /** nothing of the room is to stay */
  readonly forget: (room: Room, why?: 'you-removed' | 'room-deleted' | 'invitation-ended') => Promise<void>;
}

export class Changes {
  readonly #parts: ChangesParts;
  readonly #desk: Desk;
  /** in this login, or the one that is under way */
  #offered = false;
  /** Rooms of which an event was passed over, with its version: what comes behind it fits only when it was looked for. */
  readonly #passed = new Map<string, number>();

  constructor(parts: ChangesParts) {
    this.#parts = parts;
    this.#desk = parts.desk;
  }

  /** The room, where the event is news for somebody in it, or invited to it, who has looked at it. */
  #news({ room: id, version }: { readonly room: Uint8Array; readonly version: number }): Room | undefined {
    const room = roomById(stateOf(this.#desk), id);
    if (!room || version <= room.version) return undefined;
    const passed = this.#passed.get(room.key) ?? 0;
    if (room.standing !== 'entering' && room.owner !== '' && passed <= room.version) return room;
    this.#passed.set(room.key, Math.max(passed, version));
    if (room.standing !== 'entering') this.#parts.lookSoon(room.key);
    return undefined;
  }

  /** All that was passed over is in what a look took. */
  looked(key: string): void {
    this.#passed.delete(key);
  }

  /** When what the present event does is done. */
  #afterwards(work: () => void): void {
    const done = this.#desk.inTurn(() => {
      work();
      return Promise.resolve();
    });
    this.#desk.background(done);
  }

  /** Who is only invited is told of nothing that happens to others. */
  #tell(room: Room, ...notices: readonly Event[]): readonly Event[] {
    return room.standing === 'invited' ? [] : notices;
  }

  /** Somebody entered. */
  async onEntered(event: Entered): Promise<Event[]> {
    const room = this.#news(event);
    if (!room || samePublic(event.uid, this.#desk.me.uid)) return [];
    const state = stateOf(this.#desk);
    const member: Member = {
      key: memberKey(room.key, event.name),
      uid: hex(event.uid),
      name: event.name,
      enc: hex(event.enc),
      sig: hex(event.sig),
      settled: false,
      inviter: isZero(event.inviter) ? '' : hex(event.inviter),
      received: noChain,
    };
    const moved: Event = { t: 'room', room: { ...withoutSent(room), version: event.version } };
    if (room.secret === undefined) {
      this.#parts.lookSoon(room.key); // nothing can be checked without R
      return [];
    }
    const step = await this.#entryProblem(room, event, member);
    if (step !== undefined) {
      const told = `${room.id}:${member.uid}:${String(room.epoch)}`;
      return state.notices.has(told) ? [] : [notice(this.#desk, 'ghost', member.key, step, told)];
    }
    const entered = notice(this.#desk, 'entered', member.key);
    return [{ t: 'members', rows: [member], gone: [] }, moved, ...this.#tell(room, entered)];
  }

  async #entryProblem(room: Room, event: Entered, member: Member): Promise<string | undefined> {
    const state = stateOf(this.#desk);
    if (event.epoch !== room.epoch) return 'epoch';
    if (contradictsPins(state, member)) return 'pinned';
    if (isTaken(rowsOf(state, room.key), member)) return 'taken';
    const others = membersOf(state, room.key);
    const by = (uid: Uint8Array): Uint8Array | undefined => {
      const found = others.find((one) => one.uid === hex(uid));
      return found && fromHex(found.sig);
    };
    if (isSpent(room, member.uid, event)) return 'invitation';
    const at = { room: fromHex(room.id), epoch: room.epoch, name: roomName(room.key) };
    const entry: RoomEntry = event;
    return checkEntry(cryptoOf(this.#desk), at, entry, fromHex(room.secret ?? ''), by, room.kind === 'invitation');
  }

  /** Somebody left, or it concerns us. */
  async onLeft(event: Left): Promise<Event[]> {
    const state = stateOf(this.#desk);
    const room = roomById(state, event.room);
    if (!room) return [];
    if (event.what === Departure.declined) {
      const name = contactByUid(state, hex(event.uid))?.name;
      return name === undefined ? [] : [notice(this.#desk, 'invitation-declined', memberKey(room.key, name))];
    }
    const concernsUs =
      event.what === Departure.deleted ||
      (event.what === Departure.removed && samePublic(event.uid, this.#desk.me.uid));
    if (concernsUs) {
      const deleted = event.what === Departure.deleted ? 'room-deleted' : 'you-removed';
      const why = room.standing === 'invited' ? 'invitation-ended' : deleted;
      await this.#parts.forget(room, room.leaving ? undefined : why); // whoever does it knows
      return [];
    }
    const byInviter = room.standing === 'invited' && room.invitation?.inviter === hex(event.uid);
    if (event.what === Departure.left && byInviter) {
      await this.#parts.forget(room, 'invitation-ended');
      return [];
    }
    if (event.what !== Departure.left || !this.#news(event)) return [];
    const uid = hex(event.uid);
    const here = new Set(membersOf(state, room.key).flatMap((one) => (one.uid === uid ? [] : [one.uid])));
    const now = { ...withoutSent(room), version: event.version, closed: true, ...formersOf(state, room, here) };
    const moved: Event = { t: 'room', room: now };
    const member = memberByUid(state, room.key, uid);
    if (!member || member.left) return [moved];
    const change: Event = { t: 'members', rows: [{ ...member, left: true }], gone: [] };
    return [change, moved, ...this.#tell(room, notice(this.#desk, 'left', member.key))];
  }

  /** A new epoch. */
  async onChanged(event: Changed): Promise<Event[]> {
    const room = this.#news(event);
    if (!room) return [];
    const problem = await this.#changeProblem(room, event);
    if (problem !== undefined) {
      this.#parts.lookSoon(room.key);
      /* Where we only missed something, or could not tell who entered, the look mends it. */
      if (problem === 'previous' || (problem === 'list' && room.secret === undefined)) return [];
      const told = hex(headHash(cryptoOf(this.#desk).sync, event.room, event));
      const known = stateOf(this.#desk).notices.has(told);
      return known ? [] : [notice(this.#desk, 'change-refused', room.key, problem, told)];
    }
    return this.#follow(room, event);
  }

  /** undefined: a member did it, and had the right to. */
  async #changeProblem(room: Room, event: Changed): Promise<ChangeProblem | undefined> {
    const ports = cryptoOf(this.#desk);
    const state = stateOf(this.#desk);
    const name = roomName(room.key);
    if (event.epoch !== room.epoch + 1 || hex(event.previous) !== room.head || event.name !== name) return 'previous';
    const signer = memberByUid(state, room.key, hex(event.signer));
    if (!signer || signer.left) return 'signer';
    if (!(await verifyHead(ports, event.room, event, fromHex(signer.sig)))) return 'signature';
    const gone = new Set(event.removed.map(({ uid }) => hex(uid)));
    const members = membersOf(state, room.key);
    const isOwner = signer.uid === room.owner;
    const rightful = members.every(({ uid, settled }) => !gone.has(uid) || !settled);
    /* Where the owner has left, whoever begins the next epoch is the owner. */
    const due = members.some(({ uid }) => uid === room.owner) ? room.owner : signer.uid;
    if (!isOwner && (!rightful || hex(event.owner) !== due || event.renewed === 1)) return 'right';
    const staying = members.filter(({ uid }) => !gone.has(uid));
    if (!samePublic(listOf(ports.sync, event.room, staying), event.list)) return 'list';
    return staying.some(({ uid }) => uid === hex(event.owner)) ? undefined : 'owner';
  }

  async #follow(room: Room, event: Changed): Promise<Event[]> {
    const ports = cryptoOf(this.#desk);
    const state = stateOf(this.#desk);
    const opened = await openRoomKeys(ports, this.#desk.me.enc, event.block);
    const fits = opened && fitsKind(room.kind, opened) && provesKey(ports.sync, event.room, event, opened.key);
    /* What lies under the password stays the same unless a new one was set. */
    const stays = event.renewed === 1 || room.wrapKey === '' || hex(opened?.wrapKey ?? noSecret) === room.wrapKey;
    const keys = fits && stays ? opened : undefined;
    const gone = new Set(event.removed.map(({ uid }) => hex(uid)));
    const members = membersOf(state, room.key);
    const signer = memberByUid(state, room.key, hex(event.signer));
    const staying = members.filter(({ uid }) => !gone.has(uid)).map((member) => ({ ...member, settled: true }));
    const stay = new Set(staying.map(({ key }) => key));
    const out = memberKeys(state, room.key).filter((key) => !stay.has(key));
    const { secret: _old, former: _older, ...kept } = withoutSent(room);
    /* What was put under a new password can't be known without the block. */
    const wrapKey = keys ? hex(keys.wrapKey) : event.renewed === 1 ? '' : room.wrapKey;
    const events: Event[] = [
      ...memberEvents(
        staying.filter((one) => !state.members.get(one.key)?.settled),
        out,
      ),
      {
        t: 'room',
        room: {
          ...kept,
          version: event.version,
          epoch: event.epoch,
          head: hex(headHash(ports.sync, event.room, event)),
          owner: hex(event.owner),
          closed: false,
          wrapKey,
          ...(keys ? { secret: hex(keys.key) } : {}),
          ...(room.secret === undefined ? {} : { former: room.secret }),
          ...formersOf(state, room, new Set(staying.map(({ uid }) => uid))),
        },
      },
    ];
    if (room.standing === 'invited') return events;
    for (const { uid, key } of members) if (gone.has(uid)) events.push(notice(this.#desk, 'removed', key));
    const owner = staying.find(({ uid }) => uid === hex(event.owner));
    if (owner && owner.uid !== room.owner) {
      const isUs = owner.uid === hex(this.#desk.me.uid);
      events.push(notice(this.#desk, 'owner', isUs ? room.key : owner.key));
    }
    if (!keys) events.push(notice(this.#desk, 'room-key', signer?.key ?? room.key, String(event.epoch)));
    this.#afterwards(() => {
      this.#parts.opened(room.key);
    });
    return events;
  }

  /** Somebody invites us. */
  async onInvited(event: InvitedTo): Promise<Event[]> {
    const { me, ports } = this.#desk;
    const crypto = cryptoOf(this.#desk);
    const state = stateOf(this.#desk);
    const key = keyOfRoom(event.name);
    const contact = contactByUid(state, hex(event.inviter));
    if (contact?.relation === 'blocked') return [];
    const told = hex(crypto.sync.sha256(event.invitation));
    const refuse = (step: string): Event[] =>
      state.notices.has(told)
        ? []
        : [notice(this.#desk, 'invitation-refused', contact ? memberKey(key, contact.name) : key, step, told)];
    if (contact?.relation !== 'open' || !contact.keys) return refuse('stranger');
    const known = state.rooms.get(key);
    if (known?.id === hex(event.room) && known.standing !== 'invited') return [];
    /* Neither may a name stand for two rooms, nor a room have two names. */
    const other = known ?? roomById(state, event.room);
    if (other && (other.key !== key || other.id !== hex(event.room))) return refuse('taken');
    if (state.declined.has(told)) return [];
    if (!known && state.rooms.size >= ROOMS_MAX) return refuse('full');
    const bound = invitationBound(crypto.sync, event.head, event.block);
    const self = { uid: me.uid, enc: me.enc.modulus, sig: me.sig.modulus };
    const { inviter, epoch, expires, invitation } = event;
    const signed = { inviter, invitedEpoch: epoch, expires, bound, invitation };
    if (!(await verifyInvitation(crypto, event, self, signed, fromHex(contact.keys.sig)))) return refuse('invitation');
    if (expires <= ports.clock.now()) return refuse('expired');
    const opened = await openRoomKeys(crypto, me.enc, event.block);
    if (!opened) return refuse('block');
    const kind = event.kind === RoomKind.password ? 'password' : 'invitation';
    if (!fitsKind(kind, opened)) return refuse('kind');
    const room: Omit<Room, 'sent'> = {
      key,
      id: hex(event.room),
      kind,
      standing: 'invited',
      owner: '',
      version: 0,
      epoch,
      head: hex(event.head),
      secret: hex(opened.key),
      wrapKey: hex(opened.wrapKey),
      closed: false,
      invitation: { inviter: hex(inviter), epoch, expires, bound: hex(bound), signature: hex(invitation) },
    };
    this.#afterwards(() => {
      this.#parts.lookSoon(key);
    });
    return [{ t: 'room', room }, notice(this.#desk, 'invited', memberKey(key, contact.name))];
  }

  /** Not at a login: what it offers may be here before we know that we are in. */
  offline(): void {
    this.#offered = false;
  }

  /** The queue of the login is in: what was not offered in it is offered no more. */
  withdrawn(): Event[] {
    const { offer, rooms } = stateOf(this.#desk);
    const before = offer.get('offer');
    const isOurs = before !== undefined && rooms.get(before.key)?.common === true;
    return before && !isOurs && !this.#offered ? [{ t: 'offer' }] : [];
  }

  /** The daemon offers its common room: told once. */
  onOffered({ name, secret }: Offered): Event[] {
    this.#offered = true;
    const offer = { key: keyOfRoom(name), secret: hex(secret) };
    const state = stateOf(this.#desk);
    const before = state.offer.get('offer');
    if (before?.key === offer.key && before.secret === offer.secret) return [];
    const known = state.rooms.has(offer.key);
    return [{ t: 'offer', offer }, ...(known ? [] : [notice(this.#desk, 'offered', offer.key)])];
  }
}

export function withoutSent({ sent: _sent, ...room }: Room): Omit<Room, 'sent'> {
  return room;
}
