/** The core's commands as a table: what each takes, and what it does. */
import { Code, decode, fingerprint, hex, structs } from '../../protocol/index.js';
import { accountTable } from './account-table.js';
import type { Actions } from './actions.js';
import type { AccountProof, CommandName, Commands, ContactView, RelationView, SentView, StatusView } from './client.js';
import { cryptoOf, stateOf, type Desk } from './desk.js';
import { error, limitedFor } from './errors.js';
import type { Inbox } from './inbox.js';
import type { Outbox } from './outbox.js';
import type { OwnAccount } from './own-account.js';
import { otherName, type People } from './people.js';
import { fingerprintOf } from './pins.js';
import { shownOf, tallies } from './places.js';
import { sendsReceipts } from './receipt-rows.js';
import { isRoom, roomKey } from './rooms/names.js';
import type { Rooms } from './rooms/rooms.js';
import { roomTable } from './rooms/table.js';
import { PAGE } from './rows.js';
import { Security } from './security.js';
import type { Session } from './session.js';
import type { Contact, Relation } from './state.js';
import { isVerified, Trust } from './trust.js';

/** How long a command waits for the daemon's answer before it says that it goes on without. */
const ANSWER_WAIT_MS = 5_000;
/** How long the keys of all contacts may take: within the time of the socket's call. */
const CHECK_MS = 540_000;

export interface CommandParts {
  readonly desk: Desk;
  readonly session: Session;
  readonly people: People;
  readonly actions: Actions;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly rooms: Rooms;
  readonly own: OwnAccount;
  readonly drained: () => Promise<void>;
  readonly logout: () => Promise<void>;
}

type Table = { readonly [C in CommandName]: (args: Commands[C]['args']) => Promise<Commands[C]['result']> };

/** Arguments may come through a socket: of the same user, but perhaps of another version of this program. */
function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw error('usage', `${what} is missing`);
  return value;
}

function optional(value: unknown, what: string): string | undefined {
  return value === undefined ? undefined : text(value, what);
}

export function commandTable(parts: CommandParts): Table {
  const { desk, people, outbox, inbox, rooms } = parts;
  const trust = new Trust(desk, people, inbox.gaps);
  const security = new Security(desk, parts.session);
  const relation = async (
    work: () => Promise<{ name: string; relation: Relation; frame?: string }>,
  ): Promise<RelationView> => {
    const { frame, ...view } = await desk.inTurn(work);
    parts.actions.kick();
    if (view.relation === 'open') outbox.opened(view.name);
    outbox.forget();
    return answered(parts, view, frame);
  };
  /** @throws ClientError `bad-name`, `self`, `never-asked` */
  const known = (typed: string): string => {
    const name = otherName(desk, typed);
    if (!stateOf(desk).contacts.has(name)) throw error('never-asked', name);
    return name;
  };
  return {
    status: () => Promise.resolve(status(parts)),
    contacts: (args) => contacts(parts, args.check),
    add: (args) => relation(() => people.add(text(args.name, 'the name'))),
    accept: (args) => relation(() => people.accept(text(args.name, 'the name'))),
    decline: (args) => relation(() => people.decline(text(args.name, 'the name'))),
    block: (args) => relation(() => people.block(text(args.name, 'the name'))),
    verify: (args) => desk.inTurn(() => trust.show(text(args.name, 'the name'))),
    confirm: (args) =>
      desk.inTurn(() => trust.confirm(text(args.name, 'the name'), optional(args.number, 'the number'))),
    reject: (args) => desk.inTurn(() => trust.reject(text(args.name, 'the name'))),
    send: (args) => send(parts, text(args.to, 'the name'), text(args.text, 'the text')),
    unread: () => Promise.resolve(inbox.unread()),
    read: async (args) => {
      await inbox.markRead(args.keys.map((key) => text(key, 'a key')).slice(0, PAGE));
      return {};
    },
    receipts: async ({ on }) => {
      if (on !== undefined && typeof on !== 'boolean') throw error('usage', 'on is true or false');
      if (on !== undefined && on !== sendsReceipts(stateOf(desk))) await desk.record({ t: 'receipts', on });
      return { on: sendsReceipts(stateOf(desk)) };
    },
    history: (args) => {
      const typed = text(args.name, 'the name');
      const name = isRoom(typed) ? rooms.known(roomKey(typed)) : known(typed);
      return Promise.resolve(inbox.history(name, args.after));
    },
    page: (args) => {
      const typed = text(args.name, 'the name');
      if (typeof args.before !== 'number') throw error('usage', 'the number of a row is missing');
      const name = isRoom(typed) ? rooms.listed(roomKey(typed)) : typed && known(typed);
      return Promise.resolve(inbox.page(name, args.before));
    },
    drained: async () => {
      await parts.drained();
      await parts.actions.quiet(ANSWER_WAIT_MS); // what is answered now may be news to show
      return {};
    },
    account: () => security.account(),
    'factor-begin': ({ kind, code, email }) =>
      security.begin(kind, optional(code, 'the code'), optional(email, 'the address')),
    'factor-confirm': (args) => security.confirm(text(args.code, 'the code')),
    'factor-disable': async (args) => {
      await security.disable(optional(args.code, 'the code'));
      return {};
    },
    'recovery-codes': (args) => security.renewCodes(optional(args.code, 'the code')),
    'session-revoke': async (args) => {
      await security.revoke(optional(args.session, 'the session'));
      return {};
    },
    'renew-keys': async (args) => {
      await parts.own.renew(proofOf(args));
      return {};
    },
    'delete-account': async (args) => {
      await parts.own.remove(proofOf(args));
      return {};
    },
    logout: async () => {
      await parts.logout();
      return {};
    },
    ...accountTable(desk, parts.session, text),
    ...roomTable(rooms, text),
  };
}

function proofOf({ password, words, code }: AccountProof): AccountProof {
  const secrets = { password: text(password, 'the password'), words: text(words, 'the words') };
  return code === undefined ? secrets : { ...secrets, code: text(code, 'the code') };
}

async function answered(
  parts: CommandParts,
  view: { name: string; relation: Relation },
  frame: string | undefined,
): Promise<RelationView> {
  if (frame === undefined) return { ...view, pending: false };
  const outcome = await parts.actions.outcome(frame, ANSWER_WAIT_MS);
  const pending = stateOf(parts.desk).actions.has(frame);
  if (outcome?.failure && !pending) throw outcome.failure;
  const trouble = outcome?.failure ?? (pending ? (parts.desk.trouble() ?? error('timeout', 'the request')) : undefined);
  return { ...view, pending, ...(trouble ? { trouble: trouble.trouble } : {}) };
}

async function send(parts: CommandParts, typed: string, body: string): Promise<SentView> {
  const { outbox, desk } = parts;
  const { id, to } = await outbox.send(typed, body);
  const { state, failure } = await outbox.outcome(id, ANSWER_WAIT_MS);
  const changed = state === 'waiting' && stateOf(desk).contacts.get(to)?.changed; // while it was on its way
  const trouble = changed ? error('changed', to) : failure;
  return { id, to, state, ...(trouble ? { trouble: trouble.trouble } : {}) };
}

function status(parts: CommandParts): StatusView {
  const { desk, session, inbox } = parts;
  const { me, ports } = desk;
  const state = stateOf(desk);
  const grant = state.grant.get('grant');
  const trouble = session.trouble;
  return {
    name: me.name,
    uid: hex(me.uid),
    network: ports.linked.network,
    fingerprint: hex(fingerprint(cryptoOf(desk).sync, { enc: me.enc.modulus, sig: me.sig.modulus })),
    server: `${ports.server.host}:${String(ports.server.port)}`,
    session: session.state,
    ends: grant?.ends ?? 0,
    unread: inbox.unreadCount(),
    waiting: [...state.outgoing.values()].filter((entry) => entry.state === 'waiting').length,
    contacts: state.contacts.size,
    ...(trouble ? { trouble: trouble.trouble } : {}),
  };
}

async function contacts(parts: CommandParts, check: boolean): Promise<{ contacts: ContactView[] }> {
  const { clock } = parts.desk.ports;
  const end = clock.elapsed() + CHECK_MS;
  const all = [...stateOf(parts.desk).contacts.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = tallies(stateOf(parts.desk));
  const views: ContactView[] = [];
  for (const contact of all) {
    const pinned = contact.keys ? fingerprintOf(cryptoOf(parts.desk).sync, contact.keys) : '';
    const view: ContactView = {
      name: contact.name,
      relation: contact.relation,
      changed: contact.changed !== undefined,
      verified: isVerified(contact, pinned),
      fingerprint: pinned,
      ...shownOf(rows.get(contact.name), contact.since),
    };
    views.push(check ? { ...view, check: await compare(parts, contact, end - clock.elapsed()) } : view);
  }
  return { contacts: views };
}

/** What the daemon gives as this name's keys today (keyq), against the pins. */
async function compare(
  parts: CommandParts,
  contact: Contact,
  most: number,
): Promise<NonNullable<ContactView['check']>> {
  const { keys, name } = contact;
  if (!keys) return 'unpinned';
  const link = parts.session.link;
  if (!link) throw parts.session.trouble ?? error('offline');
  const waits = (seconds: number): void => {
    parts.desk.limited('look-ups', seconds);
  };
  const reply = await link.ask(structs.keyq, { name }, { most, waits });
  if (reply.code === Code.notFound) return 'unknown';
  if (reply.code === Code.limited) throw limitedFor(reply.wait);
  if (reply.isError) throw error('unavailable', String(reply.code));
  const decoded = decode(structs.keyqAnswer, reply.struct);
  if (decoded.problem) throw error('protocol', 'keyq');
  const { uid, enc, sig } = decoded.values;
  return hex(uid) === keys.uid && hex(enc) === keys.enc && hex(sig) === keys.sig ? 'same' : 'different';
}
