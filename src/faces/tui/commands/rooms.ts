/** Commands about rooms. */
import { ClientError, type RoomView } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import { drawnText, memberLine, membersText } from '../../wording/rooms.js';
import { mistake, roomOf, split, withoutAt, type Command } from './command.js';
import type { Conversation } from '../talk/conversation.js';
import type { Surface } from './surface.js';

async function secret(surface: Surface, title: string, text: string[]): Promise<string | undefined> {
  return surface.ask({ title, text, field: { label: 'password: ', isSecret: true } });
}

/** Who is invited, or is offered the room, needs no password: the core knows that, so it is asked first. */
async function enter(surface: Surface, room: string): Promise<RoomView | undefined> {
  try {
    return await surface.talk.call('room-join', { room });
  } catch (thrown) {
    if (!(thrown instanceof ClientError && thrown.code === 'room-needs-password')) throw thrown;
    const password = await secret(surface, `Enter #${plainLine(room)}`, ['Somebody who is in it knows its password.']);
    return password === undefined ? undefined : surface.talk.call('room-join', { room, password });
  }
}

async function join(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [named] = split(rest);
  const room = named === '' ? roomOf(where, rest)[0] : named.replace(/^#/, '');
  const view = await enter(surface, room);
  if (!view) return;
  surface.open(surface.talk.conversation(`#${view.name}`));
  const common = view.common ? '; common to the network: whoever runs the daemon can read it' : '';
  surface.say(plainLine(`you are in #${view.name}: owner @${view.by}, ${membersText(view.members)}${common}`));
}

async function leave(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [room] = roomOf(where, rest);
  await surface.talk.call('room-leave', { room });
  surface.open(surface.talk.home);
  surface.say(`left #${plainLine(room)}`);
}

/** The room that was named or that it was typed in, and the person behind it. */
function roomAndPerson(where: Conversation, rest: string): { room: string; name: string } {
  const [room, more] = roomOf(where, rest);
  const [name] = split(more);
  if (name === '') throw mistake('whom?', 'name somebody: @name');
  return { room, name: withoutAt(name) };
}

async function invite(surface: Surface, rest: string, where: Conversation): Promise<void> {
  /* Also with the person first, as in other programs: /invite @bob #garden. */
  const [first, second] = split(rest);
  const { room, name } = roomAndPerson(where, second.startsWith('#') ? `${second} ${first}` : rest);
  const view = await surface.talk.call('room-invite', { room, name });
  surface.say(`invited @${plainLine(name)} to #${plainLine(view.name)}`);
}

/** @param why what it is set for */
async function newPassword(surface: Surface, room: string, why = ''): Promise<{ password?: string } | undefined> {
  const typed = await surface.ask({
    title: `${why}New password of #${plainLine(room)}`,
    text: [
      'Whoever has it can come in; who is in stays in. Enter alone: one of five words is drawn for you, and shown.',
      'Tab shows what you type.',
    ],
    field: { label: 'password: ', isSecret: true },
  });
  if (typed === undefined) return undefined;
  return typed === '' ? {} : { password: typed };
}

async function kick(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const { room, name } = roomAndPerson(where, rest);
  const known = surface.talk.find(`#${room}`)?.room;
  /* Nobody types one for nothing: the core says no to all others. */
  const isMine = known?.by === surface.talk.status?.name;
  const sets = known?.kind === 'password' && !known.common && isMine;
  const chosen = sets ? await newPassword(surface, room, `Remove @${plainLine(name)}. `) : {};
  if (!chosen) return surface.say(`nobody was removed from #${plainLine(room)}`);
  const view = await surface.talk.call('room-remove', { room, name, ...chosen });
  await drawn(surface, `removed @${name} from #${room}`, view);
}

/** A drawn password is shown until somebody says that they have it, or twice that they don't want it. */
async function drawn(surface: Surface, done: string, view: RoomView & { readonly password?: string }): Promise<void> {
  surface.say(plainLine(done));
  if (view.password === undefined) return;
  const title = `The password of #${plainLine(view.name)}`;
  const [, ...text] = drawnText(done, view).split('\n');
  const choices = [{ key: 'enter', label: 'I noted it', value: 'noted' }];
  for (const warning of [[], ['Esc once more: go on without it, /room passwd sets another.']]) {
    const answer = await surface.ask({ title, text: [...text.map((line) => `  ${line}`), ...warning], choices });
    if (answer === 'noted') return;
  }
}

async function names(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [room] = roomOf(where, rest);
  const { members } = await surface.talk.client.call('room-members', { room });
  surface.say(members.map(memberLine).join('\n'));
}

async function create(surface: Surface, rest: string): Promise<void> {
  const [named, more] = split(rest);
  const room = named.replace(/^#/, '');
  if (room === '') throw mistake('which name?', '/room create #name, or /room create #name invite-only');
  const inviteOnly = /^(--)?invite-only$/.test(more.trim());
  if (more.trim() !== '' && !inviteOnly) throw mistake(`what is ${plainLine(more)}?`, '/room create #name invite-only');
  const chosen = inviteOnly ? {} : await newPassword(surface, room);
  if (!chosen) return;
  const view = await surface.talk.call('room-create', { room, inviteOnly, ...chosen });
  surface.open(surface.talk.conversation(`#${view.name}`));
  await drawn(surface, `made #${view.name}${inviteOnly ? '; next: /invite @name' : ''}`, view);
}

async function setPassword(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [room] = roomOf(where, rest);
  const chosen = await newPassword(surface, room);
  if (!chosen) return;
  await drawn(surface, `#${room} has a new password`, await surface.talk.call('room-passwd', { room, ...chosen }));
}

async function owner(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const { room, name } = roomAndPerson(where, rest);
  await surface.talk.call('room-owner', { room, name });
  surface.say(`@${plainLine(name)} owns #${plainLine(room)} now`);
}

async function destroy(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [room] = roomOf(where, rest);
  const name = plainLine(room);
  const answer = await surface.ask({
    title: `Delete #${name} for everybody?`,
    text: ['It goes for everybody in it, with its messages. Type its name to delete it.'],
    field: {
      label: 'name: ',
      isSecret: false,
      check: (word) => (word.trim().replace(/^#/, '') === room ? undefined : `type ${name}, or press Esc`),
    },
  });
  if (answer === undefined) return;
  await surface.talk.call('room-delete', { room });
  surface.open(surface.talk.home);
  surface.say(`deleted #${name}`);
}

async function declineRoom(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [room] = roomOf(where, rest);
  await surface.talk.call('room-decline', { room });
  surface.open(surface.talk.home);
  surface.say(`declined the invitation to #${plainLine(room)}`);
}

const verbs: Readonly<Record<string, Command['run']>> = {
  create,
  passwd: setPassword,
  owner,
  delete: destroy,
  decline: declineRoom,
};

async function room(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [verb, more] = split(rest);
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!run) throw mistake(`what to do with a room?`, `/room ${Object.keys(verbs).join(', /room ')}`);
  await run(surface, more, where);
}

export const roomCommands: readonly Command[] = [
  { name: 'join', moves: true, usage: '#room', what: 'enter a room, by its password or invited (Alt-Y)', run: join },
  { name: 'leave', moves: true, usage: '[#room]', what: 'leave a room', run: leave },
  {
    name: 'room',
    moves: true,
    usage: 'create #name [invite-only] | passwd | owner @name | delete | decline',
    what: 'make a room, or look after one',
    run: room,
  },
  { name: 'invite', usage: '[#room] @name', what: 'invite a contact', run: invite },
  { name: 'kick', usage: '[#room] @name', what: 'remove a member; sets a new password', run: kick },
  { name: 'names', usage: '[#room]', what: 'who is in a room', run: names },
];

export { join, declineRoom };
