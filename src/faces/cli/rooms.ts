/** room: everything that is done in and with rooms. */
import type { Command } from 'commander';
import { ClientError, Exit, type Client, type RoomView } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { adder, first, second, type Perform } from './commands.js';
import { mistake } from './failure.js';
import { drawnText, memberLine, membersText, roomLine } from '../wording/rooms.js';
import { personName, roomName, toRoom } from './room-names.js';
import { newRoomPassword, roomPassword } from './room-secrets.js';
import { tell, withClient, type Run } from './run.js';
import { history, send } from './talk.js';

async function create(run: Run, typed: string, inviteOnly: boolean): Promise<Exit> {
  const room = roomName(typed);
  return withClient(run, 'needed', async (client) => {
    const password = inviteOnly ? undefined : await newRoomPassword(run, room);
    const made = await client.call('room-create', { room, inviteOnly, ...passwordField(password) });
    const exit = await shown(run, made, drawnText(`made #${made.name}`, made));
    if (inviteOnly) await run.output.say(`next: cadenas room invite ${room} @somebody`);
    return exit;
  });
}

function passwordField(password: string | undefined): { readonly password?: string } {
  return password === undefined ? {} : { password };
}

/** @param more fields of the row, besides those of the room */
async function shown(run: Run, view: RoomView, human: string, more: Record<string, string> = {}): Promise<Exit> {
  await run.output.print({ type: 'room', ...view, ...more }, human);
  return tell(run, view.trouble);
}

async function join(run: Run, typed: string): Promise<Exit> {
  const room = roomName(typed);
  return withClient(run, 'needed', async (client) => {
    const view = await enter(run, client, room);
    const common = view.common ? '; common to the network: whoever runs the daemon can read it' : '';
    const text = `you are in #${view.name}: owner @${view.by}, ${membersText(view.members)}${common}`;
    return shown(run, view, plainLine(text));
  });
}

/** Who is invited, or is offered the room, needs no password: the core knows that, so it is asked first. */
async function enter(run: Run, client: Client, room: string): Promise<RoomView> {
  try {
    return await client.call('room-join', { room });
  } catch (thrown) {
    if (!(thrown instanceof ClientError && thrown.code === 'room-needs-password')) throw thrown;
    const password = await roomPassword(run, room);
    if (password === undefined) throw thrown;
    return client.call('room-join', { room, password });
  }
}

async function invite(run: Run, typed: string, person: string): Promise<Exit> {
  const [room, name] = [roomName(typed), personName(person)];
  return withClient(run, 'needed', async (client) => {
    const view = await client.call('room-invite', { room, name });
    return shown(run, view, `invited @${name} to #${room}`, { invited: name });
  });
}

async function remove(run: Run, typed: string, person: string): Promise<Exit> {
  const [room, name] = [roomName(typed), personName(person)];
  return withClient(run, 'needed', async (client) => {
    const password = await replacement(run, client, room);
    const view = await client.call('room-remove', { room, name, ...passwordField(password) });
    const set = password === undefined ? '' : '; the new password holds from now on';
    return shown(run, view, drawnText(`removed @${name} from #${room}${set}`, view), { removed: name });
  });
}

async function passwd(run: Run, typed: string): Promise<Exit> {
  const room = roomName(typed);
  return withClient(run, 'needed', async (client) => {
    const password = await replacement(run, client, room);
    const view = await client.call('room-passwd', { room, ...passwordField(password) });
    return shown(run, view, drawnText(`#${room} has a new password`, view));
  });
}

/** The new password where there can be one. Nobody types one for nothing: the core says no to all others. */
async function replacement(run: Run, client: Client, room: string): Promise<string | undefined> {
  const [{ rooms }, me] = await Promise.all([client.call('rooms', {}), run.profile.identity()]);
  const known = rooms.find((one) => one.name === room);
  const may = known?.standing === 'member' && known.kind === 'password' && known.by === me.name && !known.common;
  return may ? newRoomPassword(run, room) : undefined;
}

async function owner(run: Run, typed: string, person: string): Promise<Exit> {
  const [room, name] = [roomName(typed), personName(person)];
  return withClient(run, 'needed', async (client) =>
    shown(run, await client.call('room-owner', { room, name }), `@${name} owns #${room} now`),
  );
}

const ways = { declined: 'room-decline', left: 'room-leave', deleted: 'room-delete' } as const;

async function depart(run: Run, typed: string, how: keyof typeof ways): Promise<Exit> {
  const name = roomName(typed);
  return withClient(run, 'needed', async (client) => {
    await client.call(ways[how], { room: name });
    const human = how === 'declined' ? `declined the invitation to #${name}` : `${how} #${name}`;
    await run.output.print({ type: 'room-gone', name, how }, human);
    return Exit.done;
  });
}

/** What is deleted is deleted for everybody in the room. */
async function destroy(run: Run, typed: string, yes: boolean): Promise<Exit> {
  const room = roomName(typed);
  if (!yes) await sure(run, room);
  return depart(run, room, 'deleted');
}

async function sure({ prompter }: Run, room: string): Promise<void> {
  if (!prompter.possible) throw mistake('usage', 'there is no terminal to ask on', 'add --yes to delete the room');
  try {
    prompter.tell(`#${room} goes for everybody in it, with its messages.`);
    if (toRoom(await prompter.visible('Type the name of the room: ')) !== room)
      throw mistake('cancelled', 'that is another name: nothing is deleted', 'start again when you like');
  } finally {
    prompter.close();
  }
}

async function members(run: Run, typed: string): Promise<Exit> {
  const room = roomName(typed);
  return withClient(run, 'wanted', async (client, offline) => {
    for (const member of (await client.call('room-members', { room })).members)
      await run.output.print({ type: 'member', room, ...member }, memberLine(member));
    return tell(run, offline?.trouble);
  });
}

function list(run: Run): Promise<Exit> {
  return withClient(run, 'wanted', async (client, offline) => {
    const { rooms } = await client.call('rooms', {});
    for (const room of rooms)
      await run.output.print({ type: 'room', ...room }, run.output.named(roomLine(room, Date.now())));
    if (rooms.length === 0) await run.output.say('no room yet: cadenas room create NAME, or cadenas room join NAME');
    return tell(run, offline?.trouble);
  });
}

export function addRoomCommands(program: Command, perform: Perform): void {
  const add = adder(program.command('room').description('rooms: several people, one key'), perform);
  add('create <name>', 'make a room, with a password or by invitation alone', (run, args, options) =>
    create(run, first(args), options['inviteOnly'] === true),
  ).option('--invite-only', 'no password: who comes in is invited');
  add('join <name>', 'enter a room, by its password or invited', (run, args) => join(run, first(args)));
  add('decline <name>', 'decline an invitation', (run, args) => depart(run, first(args), 'declined'));
  add('invite <name> <@user>', 'invite a contact', (run, args) => invite(run, first(args), second(args)));
  add('remove <name> <@user>', 'remove a member; sets a new password', (run, args) =>
    remove(run, first(args), second(args)),
  );
  add('owner <name> <@user>', 'hand the room over to a member', (run, args) => owner(run, first(args), second(args)));
  add('passwd <name>', 'set a new password', (run, args) => passwd(run, first(args)));
  add('leave <name>', 'leave a room', (run, args) => depart(run, first(args), 'left'));
  add('delete <name>', 'delete a room for everybody', (run, args, options) =>
    destroy(run, first(args), options['yes'] === true),
  ).option('--yes', 'do not ask');
  add('send <name> <text>', 'send a text; - reads it from standard input', async (run, args) =>
    send(run, `#${roomName(first(args))}`, second(args)),
  );
  add('history <name>', 'what was said, as far as it is kept', async (run, args) =>
    history(run, `#${roomName(first(args))}`),
  );
  add('members <name>', 'who is in a room', (run, args) => members(run, first(args)));
  add('list', 'your rooms, invitations and what is offered', (run) => list(run));
}
