/** Commands about the screen, oneself, and what is sent. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { TEXT_MAX } from '../../../../protocol/index.js';
import { plainLine } from '../../../plain/plain.js';
import { mistake, type Command } from './command.js';
import type { Conversation } from '../talk/conversation.js';
import type { Surface } from './surface.js';
import { troubleText } from './typed.js';
import { setUpFactor } from '../start/second-factor.js';

/** Characters of a text that tell which it is. */
const EXCERPT = 40;

async function sendText(surface: Surface, text: string, where: Conversation): Promise<void> {
  if (where.key === '') throw mistake('nobody hears you here', 'choose a conversation: Ctrl-K, or /query @name');
  const trouble = await surface.talk.send(where, text);
  if (trouble) surface.say(troubleText(trouble), true);
}

async function me(surface: Surface, rest: string, where: Conversation): Promise<void> {
  if (rest === '') throw mistake('what do you do?', '/me waves');
  await sendText(surface, `/me ${rest}`, where);
}

/** The text of a file, as a message. */
async function sendFile(surface: Surface, rest: string, where: Conversation): Promise<void> {
  if (rest === '') throw mistake('which file?', '/sendfile PATH');
  const path = rest.replace(/^~(?=\/)/, process.env['HOME'] ?? '~');
  const name = plainLine(rest);
  const bytes = await readText(path, name);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw mistake(`${name} is no text`, 'texts alone are sent; other files by other means');
  }
  await sendText(surface, text.replace(/\r?\n$/, ''), where);
}

/** @throws ClientError where it is no file of a size that can be sent */
async function readText(path: string, name: string): Promise<Uint8Array> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    throw mistake(`${name} can't be read (${(thrown as NodeJS.ErrnoException).code ?? 'unknown'})`, 'check the path');
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw mistake(`${name} is no file`, 'name a file');
    if (stats.size > TEXT_MAX)
      throw mistake(`${name} has ${String(stats.size)} bytes`, `a text has ${String(TEXT_MAX)} at most`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function search(surface: Surface, rest: string): Promise<void> {
  if (!(await surface.search(rest)))
    surface.say(rest === '' ? 'no older place holds it' : `nothing here holds ${plainLine(rest)}`);
}

/** So that one sees which. */
function excerpt(text: string): string {
  const [line = ''] = text.split('\n', 1);
  const shown = [...line].slice(0, EXCERPT).join('');
  return plainLine(shown === text ? text : `${shown}…`);
}

/** The n-th text from the end, as it was written. */
function copy(surface: Surface, rest: string, where: Conversation): void {
  const count = rest === '' ? 1 : Number(rest);
  if (!Number.isSafeInteger(count) || count < 1)
    throw mistake('which text?', '/copy, or /copy 3 for the third from the end');
  const texts = where.scroll.rows.filter((row) => row.type === 'message' || row.type === 'out');
  const row = texts.at(-count);
  if (row?.type !== 'message' && row?.type !== 'out') throw mistake('there is no such text', 'see what stands above');
  surface.say(surface.copy(row.text) ? `copied: ${excerpt(row.text)}` : 'this terminal has no clipboard');
}

function away(surface: Surface, rest: string): void {
  surface.talk.away = rest === '' ? 'away' : rest;
  surface.say('away: nothing is marked as read, and no bell rings, until /back. Others are not told');
}

function back(surface: Surface): void {
  const wasAway = surface.talk.away !== undefined;
  surface.talk.away = undefined;
  surface.say(wasAway ? 'back' : 'you were not away');
  /* As if one came in: at the first of what was said meanwhile. */
  if (wasAway) surface.open(surface.current);
}

async function receipts(surface: Surface, rest: string): Promise<void> {
  if (rest !== '' && rest !== 'on' && rest !== 'off')
    throw mistake(`receipts ${plainLine(rest)}?`, '/receipts on, or /receipts off');
  const { on } = await surface.talk.call('receipts', rest === '' ? {} : { on: rest === 'on' });
  surface.say(on ? 'people are told when you read their texts' : 'nobody is told when you read their texts');
}

async function status(surface: Surface): Promise<void> {
  const view = await surface.talk.client.call('status', {});
  const link =
    view.session === 'online'
      ? `connected to ${view.server}`
      : `not connected to ${view.server}: ${view.trouble?.message ?? view.session}`;
  surface.say(
    plainLine(
      `@${view.name} on network ${view.network}; ${link}; ${String(view.unread)} unread, ${String(view.waiting)} waiting to be sent`,
    ),
  );
}

function theme(surface: Surface, rest: string): void {
  if (rest !== 'dark' && rest !== 'light') throw mistake(`which theme?`, '/theme dark, or /theme light');
  surface.theme(rest);
}

async function secondFactor(surface: Surface): Promise<void> {
  const { factor } = await surface.talk.client.call('account', {});
  if (factor !== 'none') throw mistake('a second factor is on already', 'to turn it off: cadenas 2fa disable');
  const asker = { ask: surface.ask.bind(surface), busy: (): void => undefined };
  const isOn = await setUpFactor(asker, surface.talk.client);
  surface.say(isOn ? 'second factor on: the next login asks for a code' : 'no second factor was set up');
}

async function logout(surface: Surface): Promise<void> {
  await surface.talk.client.call('logout', {});
  surface.quit();
}

export const generalCommands: readonly Command[] = [
  { name: 'me', usage: 'text', what: 'say what you do', run: me },
  { name: 'sendfile', usage: 'path', what: 'send the text of a file (64 KiB at most)', run: sendFile },
  {
    name: 'search',
    usage: '[text]',
    what: 'go to the newest place that holds it; again: to the next older one',
    run: search,
  },
  { name: 'copy', usage: '[n]', what: 'the last text, or the n-th from the end, to the clipboard', run: copy },
  {
    name: 'clear',
    usage: '',
    what: 'take what was said from the screen; nothing is deleted',
    run: (surface) => surface.clear(),
  },
  { name: 'away', usage: '[why]', what: 'mark nothing as read and ring no bell', run: away },
  { name: 'back', usage: '', what: 'be here again', run: back },
  { name: 'receipts', usage: '[on|off]', what: 'whether people are told that you read their texts', run: receipts },
  { name: 'status', usage: '', what: 'connection, unread and waiting texts', run: status },
  { name: 'theme', usage: 'dark|light', what: 'colours for this ground', run: theme },
  { name: '2fa', usage: '', what: 'set up a second factor', run: secondFactor },
  { name: 'logout', usage: '', what: 'end the session and this program', run: logout },
  { name: 'quit', usage: '', what: 'end this program; the session can go on later', run: (surface) => surface.quit() },
];

export { sendText };
