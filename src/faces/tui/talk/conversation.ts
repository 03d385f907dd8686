/** One line of the list: a person, a room, or the account itself. */
import type { ContactView, RoomView } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import { Scrollback } from './scrollback.js';

/** The account's own conversation: notices that belong to nobody, and what commands answer. */
export const HOME = '';

export class Conversation {
  /** a name, a room's name behind a #, or HOME */
  readonly key: string;
  readonly scroll = new Scrollback();
  unread = 0;
  /** ms since 1970 */
  latest = 0;
  contact: ContactView | undefined;
  room: RoomView | undefined;
  /** the newest page is here */
  loaded = false;
  /** what was typed here and not sent */
  draft = '';
  /** the first row that was unread when it was opened: a line is drawn above it */
  marker: number | undefined;
  /** what came while it was followed, and was not told as read yet */
  readonly fresh = new Set<string>();

  constructor(key: string) {
    this.key = key;
  }

  get isRoom(): boolean {
    return this.key.startsWith('#');
  }

  /** Something that a person has to decide. */
  get asks(): 'changed' | 'request' | 'invitation' | 'offer' | undefined {
    if (this.contact?.changed) return 'changed';
    if (this.contact?.relation === 'requested') return 'request';
    if (this.room?.standing === 'invited') return 'invitation';
    return this.room?.standing === 'offered' ? 'offer' : undefined;
  }

  /** As it stands in the list; plain. */
  get label(): string {
    if (this.key === HOME) return 'home';
    return plainLine(this.isRoom ? this.key : `@${this.key}`);
  }
}

/** What waits for a person first, then what was said last; home is the end. */
export function inOrder(all: Iterable<Conversation>): Conversation[] {
  const rank = (one: Conversation): number => {
    if (one.key === HOME) return one.unread > 0 ? 1 : 3;
    if (one.asks !== undefined && one.asks !== 'offer') return 0;
    return one.unread > 0 ? 1 : 2;
  };
  return [...all].sort((a, b) => rank(a) - rank(b) || b.latest - a.latest || (a.key < b.key ? -1 : 1));
}
