/** What a person does with rooms. All of it needs a session; what is said goes through the outbox. */
import {
  Code,
  fromHex,
  hex,
  INVITATION_MS,
  invitationBound,
  laterCodes,
  HELLO_WINDOW_MS,
  sealRoomKeys,
  signInvitation,
  structs,
} from '../../../protocol/index.js';
import type { MemberView, RoomSetView, RoomView } from '../client.js';
import type { Reply } from '../answers.js';
import { cryptoOf, stateOf, type Desk } from '../desk.js';
import { error } from '../errors.js';
import type { Gaps } from '../gaps.js';
import { PASSWORD_MIN } from '../identity.js';
import type { Link } from '../link.js';
import { otherName } from '../people.js';
import { fingerprintOf } from '../pins.js';
import { isPlace, shownOf, tallies, type Tally } from '../places.js';
import { contactByUid, type Contact, type Keys, type Member, type Room } from '../state.js';
import { isVerified } from '../trust.js';
import { drawWords } from '../words.js';
import { Changes, withoutSent } from './changes.js';
import type { Checked } from './check.js';
import { Entering } from './entering.js';
import { Keeper, roomFailure } from './keeper.js';
import { memberKey, roomKey, roomName } from './names.js';
import { Renewal, type Change } from './renewal.js';
import { memberByUid, membersByRoom, membersOf } from './roster.js';
import { Said } from './said.js';

/** Words of a password that is drawn: 55 bits. */
const PASSWORD_WORDS = 5;
/** Others may change the room while one enters or invites. */
const TRIES = 5;

export interface RoomsParts {
  readonly desk: Desk;
  readonly gaps: Gaps;
  readonly link: () => Link | undefined;
  /** texts may go to the room, or have to be sealed anew */
  readonly opened: (room: string) => void;
  /** nothing is sent to the room any more */
  readonly gone: () => void;
}

interface Chosen {
  readonly password: string;
  /** where it was drawn, and has to be told */
  readonly told: { readonly password?: string };
}

export class Rooms {
  readonly #desk: Desk;
  readonly #keeper: Keeper;
  readonly #renewal: Renewal;
  readonly #entering: Entering;
  readonly changes: Changes;
  readonly said: Said;

  constructor({ desk, gaps, link, opened, gone }: RoomsParts) {
    this.#desk = desk;
    const lookSoon = (room: string): void => {
      this.#keeper.lookSoon(room);
    };
    this.said = new Said(desk, gaps, lookSoon);
    this.#keeper = new Keeper({
      desk,
      link,
      look: (held) => this.said.again(held),
      opened,
      looked: (room, ghosts) => {
        this.changes.looked(room.key);
        this.said.looked(room, ghosts);
      },
      gone: (room) => {
        this.changes.looked(room);
        gone();
      },
    });
    this.#entering = new Entering(desk, this.#keeper, this.said);
    this.#renewal = new Renewal(desk, this.#keeper);
    this.changes = new Changes({ desk, lookSoon, opened, forget: (room, why) => this.#keeper.forget(room, why) });
  }

  offline(): void {
    this.changes.offline();
    this.#keeper.offline();
  }

  /** The queue of a login is in. */
  drained(): void {
    this.#desk.background(this.#desk.record(...this.changes.withdrawn()));
    this.#keeper.drained();
  }

  /** Something about the room is on the disk. */
  moved(key: string): void {
    this.#keeper.moved(key);
  }

  /** Looks at the room, and begins a new epoch where that is needed before anything can be sent. */
  renewSoon(key: string): void {
    this.#keeper.soon('renew', key, () => this.#renewal.renew(key));
  }

  // ---- what is known

  list(): RoomView[] {
    const state = stateOf(this.#desk);
    const now = this.#desk.ports.clock.now();
    const rooms = [...state.rooms.values()].filter(({ invitation, standing }) => {
      const isOver = standing === 'invited' && invitation !== undefined && invitation.expires <= now;
      return standing !== 'entering' && !isOver;
    });
    const rows = tallies(state);
    const members = membersByRoom(state);
    const views = rooms.map((room) => this.#view(room, members.get(room.key) ?? [], rows.get(room.key)));
    const offer = state.offer.get('offer');
    if (offer && !state.rooms.has(offer.key)) {
      const shown = shownOf(rows.get(offer.key), 0);
      views.push({ ...nothing, ...shown, name: roomName(offer.key), standing: 'offered', common: true });
    }
    return views.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  view(key: string): RoomView {
    const state = stateOf(this.#desk);
    return this.#view(this.#room(key), membersOf(state, key), tallies(state).get(key));
  }

  #view(room: Room, members: readonly Member[], tally: Tally | undefined): RoomView {
    const { key, untrusted, invitation, standing } = room;
    const by = standing === 'invited' ? invitation?.inviter : room.owner;
    return {
      name: roomName(key),
      standing: standing === 'invited' ? 'invited' : 'member',
      kind: room.kind,
      by: members.find(({ uid }) => uid === by)?.name ?? this.#nameOf(key, by ?? ''),
      members: members.length,
      ...shownOf(tally, 0),
      until: standing === 'invited' ? (invitation?.expires ?? 0) : 0,
      common: room.common === true,
      ...(untrusted ? { trouble: error('room-untrusted', roomName(key)).trouble } : {}),
    };
  }

  #isCommon(key: string): boolean {
    return stateOf(this.#desk).rooms.get(key)?.common === true;
  }

  #nameOf(key: string, uid: string): string {
    const state = stateOf(this.#desk);
    return (memberByUid(state, key, uid) ?? contactByUid(state, uid))?.name ?? '';
  }

  /** @throws ClientError `room-unknown` */
  #room(key: string): Room {
    const room = stateOf(this.#desk).rooms.get(key);
    if (!room) throw error('room-unknown', roomName(key));
    return room;
  }

  /** The same key. @throws ClientError `room-unknown`, also where one is only invited */
  known(key: string): string {
    return this.#mine(key).key;
  }

  /** @throws ClientError `room-unknown`, also where one is only invited */
  #mine(typed: string): Room {
    const room = this.#room(roomKey(typed));
    if (room.standing !== 'member') throw error('room-unknown', roomName(room.key));
    return room;
  }

  /** The same key. @throws ClientError `room-unknown` where there is no such room, not even an invitation or an offer */
  listed(key: string): string {
    if (!isPlace(stateOf(this.#desk), key)) throw error('room-unknown', roomName(key));
    return key;
  }

  /** @throws ClientError `room-not-owner` */
  #owned(typed: string): Room {
    const room = this.#mine(typed);
    if (room.owner !== hex(this.#desk.me.uid)) throw error('room-not-owner', roomName(room.key));
    return room;
  }

  async members(typed: string): Promise<readonly MemberView[]> {
    const { key } = this.#mine(typed);
    const checked = this.#keeper.hasLink ? await this.#keeper.inLine(key, () => this.#keeper.refresh(key)) : undefined;
    if (this.#keeper.hasLink && !checked) throw error('room-unknown', roomName(key));
    const state = stateOf(this.#desk);
    const { owner } = this.#room(key);
    const seen = (who: Keys & { readonly name: string; readonly inviter: string }): Omit<MemberView, 'role'> => {
      const print = fingerprintOf(cryptoOf(this.#desk).sync, who);
      const contact = contactByUid(state, who.uid);
      const online = checked?.online.get(who.uid);
      return {
        name: who.name,
        you: who.uid === hex(this.#desk.me.uid),
        ...(online === undefined ? {} : { online }),
        verified: contact?.keys?.sig === who.sig && isVerified(contact, print),
        fingerprint: print,
        inviter: who.inviter === '' ? '' : this.#nameOf(key, who.inviter),
      };
    };
    const members = membersOf(state, key).map(
      (one) => ({ ...seen(one), role: one.uid === owner ? 'owner' : 'member' }) as const,
    );
    const invited = (checked?.invitees ?? []).map((one) => {
      const { online: _notHere, ...view } = seen(one);
      return { ...view, role: 'invited' } as const;
    });
    const rank = { owner: 0, member: 1, invited: 2 };
    return [...members, ...invited].sort((a, b) => rank[a.role] - rank[b.role] || (a.name < b.name ? -1 : 1));
  }

  // ---- making and entering

  /** @throws ClientError `room-weak-password` */
  #chosen(password: string | undefined): Chosen {
    if (password === undefined) {
      const drawn = drawWords(this.#desk.ports.crypto.sync, PASSWORD_WORDS);
      return { password: drawn, told: { password: drawn } };
    }
    if ([...password].length < PASSWORD_MIN) throw error('room-weak-password', String(PASSWORD_MIN));
    return { password, told: {} };
  }

  async create(typed: string, inviteOnly: boolean, password: string | undefined): Promise<RoomSetView> {
    const key = roomKey(typed);
    if (inviteOnly && password !== undefined) throw error('room-has-no-password', roomName(key));
    const chosen = inviteOnly ? undefined : this.#chosen(password);
    this.#keeper.link();
    return this.#keeper.inLine(key, async () => {
      const known = stateOf(this.#desk).rooms.get(key);
      if (known) throw error(known.standing === 'invited' ? 'room-taken' : 'room-joined', roomName(key));
      this.#entering.mustHavePlace();
      const made = await this.#entering.make(key, chosen?.password);
      if (made === 'taken') throw error('room-taken', roomName(key));
      return { ...this.view(key), ...chosen?.told };
    });
  }

  async join(typed: string, password: string | undefined): Promise<RoomView> {
    const key = roomKey(typed);
    return this.#keeper.inLine(key, async () => {
      const known = stateOf(this.#desk).rooms.get(key);
      if (known?.standing === 'member' && !known.untrusted) throw error('room-joined', roomName(key));
      if (known?.standing === 'invited') await this.#entering.follow(known);
      else if (!known?.untrusted || !(await this.#entering.enterAgain(key))) await this.#byPassword(key, password);
      if (this.#room(key).standing !== 'member') throw error('room-untrusted', roomName(key));
      return this.view(key);
    });
  }

  async #byPassword(key: string, password: string | undefined): Promise<void> {
    const offer = stateOf(this.#desk).offer.get('offer');
    const offered = password === undefined && offer?.key === key ? offer.secret : undefined;
    const typedOrOffered = password ?? offered;
    if (typedOrOffered === undefined) throw error('room-needs-password', roomName(key));
    this.#entering.mustHavePlace();
    const common = offered === undefined ? undefined : true;
    if (await this.#entering.enter(key, typedOrOffered, common)) return;
    /* Nobody made the common room yet, or it has another password: the name tells which. */
    if (!common || (await this.#entering.make(key, typedOrOffered, common)) === 'taken')
      throw error('room-refused', roomName(key));
  }

  async decline(typed: string): Promise<void> {
    const key = roomKey(typed);
    await this.#keeper.inLine(key, async () => {
      const room = this.#room(key);
      if (room.standing !== 'invited') throw error('room-not-invited', roomName(key));
      const reply = await this.#part(room, structs.dcrm, true);
      if (reply.isError && laterCodes.has(reply.code)) throw roomFailure(reply, 'dcrm');
      await this.#keeper.drop(key); // any other answer says that there is no invitation any more
    });
  }

  // ---- who is in it

  /** @throws ClientError where there is no open conversation with pinned keys */
  #contact(typed: string): Contact & { readonly keys: Keys } {
    const name = otherName(this.#desk, typed);
    const contact = stateOf(this.#desk).contacts.get(name);
    if (!contact) throw error('never-asked', name);
    if (contact.changed) throw error('changed', name);
    const { keys, relation } = contact;
    if (relation === 'blocked') throw error('blocked', name);
    if (relation === 'requested') throw error('accept-first', name);
    if (relation !== 'open' || !keys) throw error('no-keys', name);
    return { ...contact, keys };
  }

  async invite(typed: string, who: string): Promise<RoomView> {
    const { key } = this.#mine(typed);
    const { name, keys } = this.#contact(who);
    const taken = error('room-has-member', roomName(key), name);
    await this.#keeper.inLine(key, async () => {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const checked = await this.#renewal.renew(key); // nobody is invited to an epoch that is closed
        const known = [...checked.members.filter(({ left }) => !left), ...checked.invitees];
        if (known.some(({ uid }) => uid === keys.uid)) throw taken;
        if (await this.#send(checked, name, keys)) return;
      }
      throw error('room-busy', roomName(key));
    });
    return this.view(key);
  }

  /** False where another epoch began. */
  async #send({ room }: Checked, name: string, { uid, enc, sig }: Keys): Promise<boolean> {
    const { me, ports } = this.#desk;
    const crypto = cryptoOf(this.#desk);
    const id = fromHex(room.id);
    const head = fromHex(room.head);
    const opens = { key: fromHex(room.secret ?? ''), wrapKey: fromHex(room.wrapKey) };
    const block = await sealRoomKeys(crypto, fromHex(enc), opens);
    /* The daemon's clock may be behind ours. */
    const expires = ports.clock.now() + INVITATION_MS - HELLO_WINDOW_MS;
    const bound = invitationBound(crypto.sync, head, block);
    const fields = { inviter: me.uid, invitedEpoch: room.epoch, expires, bound };
    const invitee = { uid: fromHex(uid), enc: fromHex(enc), sig: fromHex(sig) };
    const where = { room: id, name: roomName(room.key) };
    const invitation = await signInvitation(crypto, where, invitee, fields, me.sig);
    const reply = await this.#keeper
      .link()
      .ask(structs.inrm, { room: id, invitee: invitee.uid, epoch: room.epoch, expires, head, block, invitation });
    if (!reply.isError) return true;
    if (reply.code === Code.conflict) return false;
    if (reply.code === Code.forbidden) throw error('not-accepted', name);
    if (reply.code === Code.notFound) throw error('unknown-name', name);
    if (reply.code === Code.limited && reply.wait === 0) throw error('room-full', roomName(room.key));
    throw roomFailure(reply, 'inrm');
  }

  /** @throws ClientError `room-no-member` */
  #member(room: Room, who: string): Member {
    const name = otherName(this.#desk, who);
    const member = stateOf(this.#desk).members.get(memberKey(room.key, name));
    if (!member || member.left) throw error('room-no-member', roomName(room.key), name);
    return member;
  }

  /** A member, or somebody who is invited. @throws ClientError `room-no-member` */
  async #present(room: Room, who: string): Promise<Keys> {
    const name = otherName(this.#desk, who);
    const known = stateOf(this.#desk).members.get(memberKey(room.key, name));
    if (known && !known.left) return known;
    const checked = await this.#keeper.inLine(room.key, () => this.#keeper.refresh(room.key));
    return checked?.invitees.find((one) => one.name === name) ?? this.#member(room, who);
  }

  async #change(room: Room, change: Change): Promise<RoomView> {
    await this.#keeper.inLine(room.key, () => this.#renewal.renew(room.key, change));
    return this.view(room.key);
  }

  /** Who is removed, or was invited, knows the password: it becomes another, but that of the common room, which everybody may know. */
  async remove(typed: string, who: string, password: string | undefined): Promise<RoomSetView> {
    const room = this.#owned(typed);
    const { uid } = await this.#present(room, who);
    if (room.kind === 'invitation' && password !== undefined) throw error('room-has-no-password', roomName(room.key));
    if (room.kind === 'invitation' || this.#isCommon(room.key)) return this.#change(room, { removed: uid });
    const chosen = this.#chosen(password);
    return { ...(await this.#change(room, { removed: uid, password: chosen.password })), ...chosen.told };
  }

  async handOver(typed: string, who: string): Promise<RoomView> {
    const room = this.#owned(typed);
    return this.#change(room, { owner: this.#member(room, who) });
  }

  async setPassword(typed: string, password: string | undefined): Promise<RoomSetView> {
    const room = this.#owned(typed);
    if (room.kind === 'invitation') throw error('room-has-no-password', roomName(room.key));
    if (this.#isCommon(room.key)) throw error('room-common', roomName(room.key));
    const chosen = this.#chosen(password);
    return { ...(await this.#change(room, { password: chosen.password })), ...chosen.told };
  }

  /**
   * What ends a room for us: it is known from now on that this was begun, and where it fails, that it was not done.
   * @param mayBeOut 403 says that we are not in it any more
   */
  async #part(room: Room, struct: typeof structs.lvrm, mayBeOut: boolean): Promise<Reply> {
    const link = this.#keeper.link();
    await this.#keeper.put(room.key, (now) => now && { ...withoutSent(now), leaving: true });
    const reply = await link.ask(struct, { room: fromHex(room.id) });
    const isDone = !reply.isError || (mayBeOut && reply.code === Code.forbidden);
    if (!isDone) await this.#keeper.put(room.key, (now) => now && withoutLeaving(now));
    return reply;
  }

  async leave(typed: string): Promise<void> {
    const key = roomKey(typed);
    if (this.#room(key).standing === 'invited') return this.decline(typed);
    await this.#keeper.inLine(key, async () => {
      const room = this.#room(key);
      const reply = await this.#part(room, structs.lvrm, true);
      if (reply.code === Code.conflict) throw error('room-owner-leaves', roomName(key));
      if (reply.isError && reply.code !== Code.forbidden) throw roomFailure(reply, 'lvrm');
      await this.#keeper.drop(key); // 403: we are not in it any more
    });
  }

  async delete(typed: string): Promise<void> {
    const { key } = this.#owned(typed);
    await this.#keeper.inLine(key, async () => {
      const room = this.#room(key);
      const reply = await this.#part(room, structs.dlrm, false);
      if (reply.code === Code.forbidden) throw error('room-not-owner', roomName(key));
      if (reply.isError) throw roomFailure(reply, 'dlrm');
      await this.#keeper.drop(key);
    });
  }
}

const nothing: Omit<RoomView, 'name' | 'standing' | 'unread' | 'latest'> = {
  kind: 'password',
  by: '',
  members: 0,
  until: 0,
  common: false,
};

function withoutLeaving({ sent: _sent, leaving: _no, ...room }: Room): Omit<Room, 'sent'> {
  return room;
}
