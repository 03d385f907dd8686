/** The manual's page of the terminal interface, made of the tables that `/help` shows. */
import { keys } from './keys.js';
import { commands } from './table.js';

/** In roff's own characters. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

const entry = (name: string, what: string): string => `.TP\n.B ${roff(name)}\n${roff(what)}`;

/** @returns a page in man's macros */
export function manualPage(): string {
  return [
    '.\\" Made of the table of commands: npm run manual',
    '.TH CADENAS\\-CHAT 1',
    '.SH NAME',
    'cadenas\\-chat \\- the terminal interface of cadenas',
    '.SH SYNOPSIS',
    '.B cadenas',
    '[\\-\\-profile NAME] [\\-\\-server HOST:PORT] [\\-\\-plain] [\\-\\-no\\-color] [\\-\\-theme dark|light]',
    '.SH DESCRIPTION',
    'Without a command, cadenas shows conversations and rooms on the terminal. What begins with / is a command and is',
    'never sent by mistake; // at the beginning of a line sends a text that begins with /. With \\-\\-plain, lines are',
    'only ever added, for screen readers.',
    '.SH COMMANDS',
    ...commands.map(({ name, usage, what }) => entry(`/${name} ${usage}`.trim(), what)),
    '.SH KEYS',
    ...keys.map(([key, what]) => entry(key, what)),
    '',
  ].join('\n');
}
