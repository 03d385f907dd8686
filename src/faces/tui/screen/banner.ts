/** What a person is asked above a conversation, as long as it is not decided. */
import { plainLine } from '../../../plain/plain.js';
import { untilText } from '../../wording/people.js';
import type { Conversation } from '../talk/conversation.js';
import { fold } from './fold.js';
import type { Line } from './lines.js';
import type { Theme } from './theme.js';

/**
 * What stands behind the question is whole or not there: nobody should compare the first of some words.
 * @param words the safety number of who asks, as words; empty until it is known
 * @param room columns, and lines that a conversation can spare
 */
export function bannerLines(
  one: Conversation,
  words: string,
  theme: Theme,
  now: number,
  { width, height }: { readonly width: number; readonly height: number },
): Line[] {
  const text = bannerText(one, words, now);
  if (text === undefined) return [];
  const how = one.asks === 'changed' ? theme.warning : theme.title;
  const [question = [], ...rest] = text.map((line) => fold(line, width - 1));
  const all = [question, ...rest].flat();
  return (all.length <= height ? all : question)
    .slice(0, height)
    .map((line) => [{ text: ` ${line}`.padEnd(width), style: how }]);
}

/** undefined: nothing is asked. */
export function bannerText(one: Conversation, words: string, now: number): string[] | undefined {
  const who = one.label;
  switch (one.asks) {
    case 'changed':
      return [`! THE KEYS OF ${who} CHANGED: nothing is sent to them until you decide. /verify`];
    case 'request':
      return [
        `${who} asks to talk with you.  Alt-Y: accept · Alt-N: decline`,
        ...(words === '' ? [] : [`Safety words: ${words}`]),
      ];
    case 'invitation': {
      const until = (one.room?.until ?? 0) > 0 ? `, ${untilText(one.room?.until ?? 0, now)}` : '';
      return [`@${plainLine(one.room?.by ?? '')} invites you to ${who}${until}.  Alt-Y: join · Alt-N: decline`];
    }
    case 'offer':
      return [`${who} is offered to everybody here; whoever runs the daemon can read it.  Alt-Y: join`];
    case undefined:
      return one.room?.trouble ? [`! ${plainLine(one.room.trouble.message)}`] : undefined;
  }
}

/** Who is talked with, and how far they are who they say. */
export function titleText(one: Conversation): string {
  if (one.key === '') return 'home — your account, and what commands answer';
  const { contact, room } = one;
  if (room)
    return [
      one.label,
      room.standing === 'member' ? `${String(room.members)} member${room.members === 1 ? '' : 's'}` : room.standing,
      ...(room.by === '' ? [] : [`owner @${plainLine(room.by)}`]),
      room.common ? 'whoever runs the daemon can read it' : 'end-to-end encrypted',
    ].join(' — ');
  if (!contact) return one.label;
  const keys = contact.fingerprint === '' ? 'no keys yet' : 'end-to-end encrypted';
  const trust = contact.changed ? 'KEYS CHANGED' : contact.verified ? 'verified ✓' : 'not verified: /verify';
  const relation = { asked: 'asked, not answered yet', refused: 'they declined' } as Readonly<Record<string, string>>;
  return [one.label, keys, trust, ...(relation[contact.relation] ? [relation[contact.relation]] : [])].join(' — ');
}
