/** Lines for people. All text of others passes through plain.ts here. */
import type { ContactView, Item, Line, Notice, OutgoingState, Relation } from '../../client/index.js';
import { plainLine, plainText } from './plain.js';

const INDENT = '        ';

export const marks: Readonly<Record<OutgoingState, string>> = {
  waiting: '…',
  queued: '✓',
  delivered: '✓✓',
  failed: '✗',
};

/** Hours and minutes where one is. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

function noticeText(notice: Notice): string {
  const who = `@${notice.name}`;
  switch (notice.kind) {
    case 'request':
      return `${who} asks to talk with you: cadenas accept ${who}, or decline`;
    case 'accepted':
      return `${who} accepted: you can talk now`;
    case 'declined':
      return `${who} declined`;
    case 'unknown-name':
      return `nobody is called ${who}: your request was dropped`;
    case 'refused':
      return `the daemon refused what you wanted of ${who} (${notice.detail})`;
    case 'changed':
      return `WARNING: other keys came for ${who}: somebody may be in between. Nothing is sent to ${who} any more`;
    case 'unreadable':
      return notice.name === ''
        ? `a message of somebody unknown was refused (${notice.detail})`
        : `a message in the name of ${who} was refused (${notice.detail})`;
    case 'gap':
      return notice.detail === 'chain'
        ? `the messages of ${who} do not follow one another: one may have been taken out`
        : `message ${notice.detail} of ${who} is missing`;
    case 'not-taken':
      return `the daemon did not take a message to ${who}: send it anew`;
  }
}

export function itemLine(item: Item): string {
  if (item.type === 'notice') return `* ${plainLine(noticeText(item))}`;
  return `[${clockTime(item.time)}] @${plainLine(item.from)}: ${plainText(item.text, INDENT)}`;
}

export function historyLine(line: Line): string {
  if (line.type === 'in') return itemLine({ ...line, type: 'message' });
  return `[${clockTime(line.at)}] me ${marks[line.state]}: ${plainText(line.text, INDENT)}`;
}

const relations: Readonly<Record<Relation, string>> = {
  open: 'contact',
  asked: 'asked, has not answered yet',
  requested: 'asks you: accept or decline',
  declined: 'declined by you',
  refused: 'declined you',
  blocked: 'blocked by you',
};
const checks = {
  same: 'keys checked',
  different: 'THE DAEMON GIVES OTHER KEYS',
  unknown: 'unknown to the daemon',
  unpinned: 'no keys yet',
} as const;

export function contactLine(contact: ContactView): string {
  const parts = [relations[contact.relation]];
  if (contact.changed) parts.push('KEYS CHANGED: nothing is sent');
  if (contact.check) parts.push(checks[contact.check]);
  return `@${plainLine(contact.name)}  ${parts.join('; ')}`;
}
