/** cadenas-chat(1): the terminal interface, made of the tables that `/help` shows. */
import { keys } from '../../src/faces/tui/commands/keys.js';
import { commands } from '../../src/faces/tui/commands/table.js';
import { paragraph, prose, section, tagged, told, type Page } from './roff.js';

export function chatPage(): Page {
  return {
    name: 'cadenas-chat',
    section: 1,
    what: 'the terminal interface of cadenas',
    parts: [
      section(
        'Synopsis',
        prose('`cadenas` [`--profile` NAME] [`--server` HOST:PORT] [`--plain`] [`--no-color`] [`--theme` dark|light]'),
      ),
      section(
        'Description',
        prose(
          'Without a command, `cadenas` shows conversations and rooms on the terminal. What begins with / is a command and is never sent by mistake; // at the beginning of a line sends a text that begins with /. With `--plain`, lines are only ever added, for screen readers.',
        ),
      ),
      section('Commands', ...commands.map(({ name, usage, what }) => tagged(`/${name} ${usage}`.trim(), told(what)))),
      section('Keys', ...keys.map(([key, what]) => tagged(key, told(what)))),
      section('See also', paragraph('`cadenas`(1), `cadenas.toml`(5)')),
    ],
  };
}
