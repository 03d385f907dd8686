/** The one table of commands: what is typed is looked up here, and `/help` and the manual are made of it. */
import { asClientError } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import type { Command } from './command.js';
import { generalCommands, sendText } from './general.js';
import { keys } from './keys.js';
import { peopleCommands } from './people.js';
import { roomCommands } from './rooms.js';
import type { Conversation } from '../talk/conversation.js';
import { Left } from '../start/asker.js';
import type { Surface } from './surface.js';
import { typed } from './typed.js';

const help: Command = {
  name: 'help',
  usage: '',
  what: 'this',
  async run(surface) {
    await surface.ask({ title: 'Commands and keys', text: helpLines(), choices: [] });
  },
};

export const commands: readonly Command[] = [help, ...peopleCommands, ...roomCommands, ...generalCommands];

export const commandNames: readonly string[] = commands.map(({ name }) => name);

/** Names in a column of one width. */
export function helpLines(): string[] {
  const row = (left: string, what: string): string => ` ${left.padEnd(24)} ${what}`;
  return [
    ...commands.map(({ name, usage, what }) => row(`/${name} ${usage}`.trim(), what)),
    '',
    ...keys.map(([key, what]) => row(key, what)),
    '',
    'What begins with / is a command and is never sent by mistake; // at the beginning sends a text that begins with /.',
    'Marks: … waits here, ✓ queued on the daemon, ✓✓ on their disk, read. ⏱ 59m: gone from this disk in 59 minutes.',
  ];
}

export type Submitted =
  /** it is done with */
  | 'taken'
  /** nothing was done: the text belongs to whoever typed it */
  | 'kept';

/** What was typed and ended by Enter. Whatever goes wrong is said. @param where it was typed */
export async function submit(surface: Surface, line: string, where: Conversation): Promise<Submitted> {
  const command = /^\/(?!\/)(\S*)\s*([\s\S]*)$/.exec(line);
  try {
    if (!command) {
      await sendText(surface, line.replace(/^\/\//, '/'), where);
      return 'taken';
    }
    const [, name = '', rest = ''] = command;
    const known = commands.find((one) => one.name === name.toLowerCase());
    if (!known) {
      surface.say(
        `there is no command /${plainLine(name)}: nothing was sent. /help shows all; // sends a text that begins with /`,
        true,
      );
      return 'kept';
    }
    await known.run(surface, rest.trim(), where);
    return 'taken';
  } catch (thrown) {
    if (thrown instanceof Left) {
      surface.say('nothing was changed');
      return 'taken';
    }
    const { message, hint } = asClientError(thrown, '');
    surface.say(`${plainLine(typed(message))} — ${plainLine(typed(hint))}`, true);
    return 'kept';
  }
}
