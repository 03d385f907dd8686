/** What happened without a message, in the words of people: what it was, and what to do where there is something. */
import type { Notice, RoomNoticeKind } from '../../client/index.js';

type NoticeItem = Notice & { readonly room?: string };

/** One line that is not made plain yet. */
export function noticeText(notice: NoticeItem): string {
  const who = notice.room === undefined ? `@${notice.name}` : inRoom(notice.name, notice.room);
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
      return `WARNING: other keys came for ${who}${notice.detail === 'signed' ? ', signed with the former ones: a renewal, or a thief of those' : ': somebody may be in between'}. Nothing is sent to ${who} until you decide: cadenas verify ${who}`;
    case 'renewed':
      return `${who} has new keys, signed with the former ones. Nobody compared them: cadenas verify ${who}`;
    case 'renewal-done':
      return 'your new keys are in force: you have left all rooms, enter them again. Contacts who compared your keys have to compare the new ones';
    case 'renewal-open':
      return 'your new keys are not in force yet, though some contacts may have them: cadenas account renew-keys';
    case 'send-again':
      return `texts to ${who} were sealed for their former keys and will not be read: ${notice.detail}; send them again`;
    case 'unreadable':
      return notice.name === ''
        ? `a message of somebody unknown${notice.room === undefined ? '' : ` in #${notice.room}`} was refused (${notice.detail})`
        : `a message in the name of ${who} was refused (${notice.detail})`;
    case 'gap':
      return notice.detail === 'chain'
        ? `the messages of ${who} do not follow one another: one may have been taken out`
        : `${notice.detail.includes('-') ? 'numbers' : 'number'} ${notice.detail} of what ${who} sent did not come: missing`;
    case 'incomplete':
      return `a long message of ${who} is not complete: ${partsText(notice)} came. It is shown when the rest comes`;
    case 'given-up':
      return `a long message of ${who} never became complete and is dropped: ${partsText(notice)} came`;
    case 'not-taken':
      return `the daemon did not take a message to ${who}: send it anew`;
    case 'offered':
    case 'invited':
    case 'invitation-refused':
    case 'invitation-ended':
    case 'invitation-declined':
    case 'entered':
    case 'left':
    case 'removed':
    case 'owner':
    case 'you-removed':
    case 'room-deleted':
    case 'ghost':
    case 'change-refused':
    case 'room-key':
    case 'untrusted':
      return roomNoticeText(notice.kind, notice.room ?? '', notice.name, notice.detail);
  }
}

function inRoom(name: string, room: string): string {
  return name === '' ? `#${room}` : `@${name} in #${room}`;
}

function partsText({ detail }: NoticeItem): string {
  const [came = '', all = ''] = detail.split('/');
  return `${came} of ${all} parts`;
}

/** @param name of the person it is about; empty where it is about the room or oneself */
function roomNoticeText(kind: RoomNoticeKind, room: string, name: string, detail: string): string {
  const who = name === '' ? 'somebody' : `@${name}`;
  const why = detail === '' ? '' : ` (${detail})`;
  switch (kind) {
    case 'offered':
      return `this network offers #${room} to everybody; whoever runs the daemon can read it: cadenas room join ${room}`;
    case 'invited':
      return `${who} invites you to #${room}: cadenas room join ${room}, or cadenas room decline ${room}`;
    case 'invitation-refused':
      return `an invitation of ${who} to #${room} was not sound and is refused${why}: ask ${who} by other means for another`;
    case 'invitation-ended':
      return `your invitation to #${room} ended: ask for another if you want to come in`;
    case 'invitation-declined':
      return `${who} declined your invitation to #${room}`;
    case 'entered':
      return `${who} came into #${room}`;
    case 'left':
      return `${who} left #${room}`;
    case 'removed':
      return `${who} was removed from #${room}`;
    case 'owner':
      return name === '' ? `you own #${room} now` : `${who} owns #${room} now`;
    case 'you-removed':
      return `you are not in #${room} any more: you were removed, or it is gone. Nothing of it comes to you`;
    case 'room-deleted':
      return `#${room} was deleted${name === '' ? '' : ` by ${who}`}`;
    case 'ghost':
      return `WARNING: somebody was put into #${room} as ${who} without the proof of a member${why}. They are not taken for one. Ask ${who} by other means; if it was not them, tell your operator: cadenas room members ${room}`;
    case 'change-refused':
      return `WARNING: a change in #${room}${name === '' ? '' : ` in the name of ${who}`} did not hold and is refused${why}: members and key stay as you know them. Ask the others by other means, and tell your operator: cadenas room members ${room}`;
    case 'room-key':
      return `WARNING: ${who} changed the key of #${room} and gave you none that fits${why}: you can't read what is sealed with it. Ask ${who}; the next text that you send begins a new key`;
    case 'untrusted':
      return `WARNING: who is in #${room} can't be checked any more${why}: nothing is sent there. Ask your operator whether a backup was restored, then enter it again: cadenas room join ${room}`;
  }
}
