/** Rooms and their members as lines for people. */
import type { MemberView, RoomSetView, RoomStanding, RoomView } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { untilText } from './people.js';

const kinds: Readonly<Record<RoomView['kind'], string>> = {
  password: 'by password',
  invitation: 'by invitation alone',
};

export function membersText(count: number): string {
  return `${String(count)} member${count === 1 ? '' : 's'}`;
}

/** @param now ms since 1970 */
export function roomLine(view: RoomView, now: number): string {
  return plainLine(`#${view.name}  ${parts[view.standing](view, now).join('; ')}`);
}

const parts: Readonly<Record<RoomStanding, (view: RoomView, now: number) => string[]>> = {
  member: (view) => [
    view.common ? 'you are in; common to the network' : 'you are in',
    kinds[view.kind],
    `owner @${view.by}`,
    membersText(view.members),
    `${String(view.unread)} unread`,
    ...(view.trouble ? [`NOTHING IS SENT: ${view.trouble.message} — ${view.trouble.hint}`] : []),
  ],
  invited: ({ name, kind, by, until }, now) => [
    `@${by} invites you${until > 0 ? `, ${untilText(until, now)}` : ''}`,
    kinds[kind],
    `cadenas room join ${name}, or cadenas room decline ${name}`,
  ],
  offered: ({ name }) => [
    'offered to everybody on this network; whoever runs the daemon can read it',
    `cadenas room join ${name}`,
  ],
};

export function memberLine(member: MemberView): string {
  const inviter = member.inviter === '' ? '' : ` by @${member.inviter}`;
  const role = {
    owner: 'owner',
    member: inviter === '' ? 'member' : `member, invited${inviter}`,
    invited: `invited${inviter}`,
  }[member.role];
  const online = member.online === undefined ? [] : [member.online ? 'online' : 'away'];
  return plainLine(
    `@${member.name}${member.you ? ' (you)' : ''}  ${[role, ...online, ...(member.verified ? ['verified'] : [])].join('; ')}`,
  );
}

/** A drawn password, which is told this once. @param before what was done */
export function drawnText(before: string, { name, password }: RoomSetView): string {
  if (password === undefined) return plainLine(before);
  return [
    plainLine(before),
    `the password of #${plainLine(name)}: ${plainLine(password)}`,
    'note it now: it is not shown again. Whoever has it can come in',
  ].join('\n');
}
