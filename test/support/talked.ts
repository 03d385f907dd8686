/** Rows, conversations and views as the core gives them, with no core. */
import type {
  Client,
  CommandName,
  Commands,
  ContactView,
  NoticeKind,
  RoomView,
  Row,
  StatusView,
} from '../../src/client/index.js';
import { Conversation } from '../../src/faces/tui/talk/conversation.js';
import { Talk } from '../../src/faces/tui/talk/talk.js';

/** A noon, so that hours to either side are of the same day in any zone. */
export const NOON = new Date(2024, 4, 14, 12).getTime();

type Message = Extract<Row, { type: 'message' }>;
type Own = Extract<Row, { type: 'out' }>;
type Notice = Extract<Row, { type: 'notice' }>;

export function message(order: number, text: string, more: Partial<Message> = {}): Message {
  const key = `m${String(order)}`;
  return { type: 'message', key, id: key, order, from: 'bobby', text, time: NOON, at: NOON, ...more };
}

export function own(order: number, text: string, more: Partial<Own> = {}): Own {
  return { type: 'out', id: `o${String(order)}`, order, to: 'bobby', text, at: NOON, state: 'waiting', ...more };
}

export function notice(order: number, kind: NoticeKind, more: Partial<Notice> = {}): Notice {
  return { type: 'notice', key: `n${String(order)}`, order, kind, name: 'bobby', at: NOON, detail: '', ...more };
}

export function contact(name: string, more: Partial<ContactView> = {}): ContactView {
  const fingerprint = '00'.repeat(32);
  return { name, relation: 'open', changed: false, verified: false, fingerprint, unread: 0, latest: 0, ...more };
}

export function room(name: string, more: Partial<RoomView> = {}): RoomView {
  const rest = { by: 'carol', members: 3, unread: 0, latest: 0, until: 0, common: false };
  return { name, standing: 'member', kind: 'password', ...rest, ...more };
}

/** With a person where the key is a name, with a room where it begins with #. */
export function conversation(key: string, rows: readonly Row[] = []): Conversation {
  const one = new Conversation(key);
  if (one.isRoom) one.room = room(key.slice(1));
  else if (key !== '') one.contact = contact(key);
  for (const row of rows) one.scroll.add(row);
  return one;
}

/** What a client answers, by command; `calls` has what it was asked, in order. */
export type Answers = { readonly [C in CommandName]?: (args: Commands[C]['args']) => unknown };

/** Talk with a client that answers so and tells nothing by itself. */
export async function talkOf(
  contacts: readonly ContactView[],
  rooms: readonly RoomView[] = [],
  answers: Answers = {},
): Promise<{ readonly talk: Talk; readonly calls: readonly (readonly [command: string, args: unknown])[] }> {
  const calls: (readonly [string, unknown])[] = [];
  const lists: Answers = { contacts: () => ({ contacts }), rooms: () => ({ rooms }), status: () => status };
  const all: Answers = { ...lists, page: () => ({ rows: [], more: false }), ...answers };
  const client: Client = {
    call: (command, args) => {
      calls.push([command, args]);
      const answer = all[command];
      return answer ? Promise.resolve(answer(args) as never) : Promise.reject(new Error(`nobody expected ${command}`));
    },
    on: () => () => undefined,
    close: () => Promise.resolve(),
  };
  const quiet = { changed: nothing, arrived: nothing, failed: nothing, ended: nothing };
  const talk = new Talk(client, quiet, { now: () => NOON, elapsed: () => 0, after: () => nothing });
  await talk.start();
  return { talk, calls };
}

const nothing = (): void => undefined;

const status: StatusView = {
  ...{ name: 'alice', uid: '00'.repeat(16), network: 'garden', fingerprint: '00'.repeat(32), server: '127.0.0.1:1' },
  ...{ session: 'online', ends: 0, unread: 0, waiting: 0, contacts: 1 },
};
