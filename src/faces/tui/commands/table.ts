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
import { troubleText } from './typed.js';

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

/* Blanks before it are a slip: what looks like a command is not sent. */
const COMMAND = /^\s*\/(?!\/)(\S*)\s*([\s\S]*)$/;

function find(name: string): Command | undefined {
  return commands.find((one) => one.name === name.toLowerCase());
}

/** Whether the line leads to another conversation. */
export function moves(line: string): boolean {
  return find(COMMAND.exec(line)?.[1] ?? '')?.moves === true;
}

/** What somebody may have meant: one whose beginning it is, or whose letters it nearly has. */
function meant(name: string): string {
  const wanted = name.toLowerCase();
  const one =
    commandNames.find((each) => wanted !== '' && each.startsWith(wanted)) ??
    commandNames.find((each) => each.length > 2 && [...each].sort().join('') === [...wanted].sort().join('')) ??
    commandNames.find((each) => Math.abs(each.length - wanted.length) <= 1 && apart(each, wanted) <= 1);
  return one === undefined ? '' : ` Did you mean /${one}?`;
}

/** Letters at one place that differ; one that is missing counts as one. */
function apart(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const rests = [one.slice(at), other.slice(at)] as const;
  if (rests[0].slice(1) === rests[1] || rests[0] === rests[1].slice(1) || rests[0].slice(1) === rests[1].slice(1))
    return 1;
  return 2;
}

/** What was typed and ended by Enter. Whatever goes wrong is said. @param where it was typed */
export async function submit(surface: Surface, line: string, where: Conversation): Promise<Submitted> {
  const command = COMMAND.exec(line);
  try {
    if (!command) {
      await sendText(surface, line.replace(/^\/\//, '/'), where);
      return 'taken';
    }
    const [, name = '', rest = ''] = command;
    const known = find(name);
    if (!known) {
      surface.say(
        `there is no command /${plainLine(name)}: nothing was sent.${meant(name)} /help shows all; // sends a text that begins with /`,
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
    surface.say(troubleText(asClientError(thrown, '')), true);
    return 'kept';
  }
}
