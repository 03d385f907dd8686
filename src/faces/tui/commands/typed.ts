/** What the wording says of the command line, as it is typed here. */
import { plainLine } from '../../../plain/plain.js';

const rooms: Readonly<Record<string, string>> = {
  join: '/join',
  leave: '/leave',
  invite: '/invite',
  remove: '/kick',
  list: '/list',
  members: '/names',
  create: '/room create',
  decline: '/room decline',
  owner: '/room owner',
  passwd: '/room passwd',
  delete: '/room delete',
};
const others: Readonly<Record<string, string>> = {
  add: '/add',
  accept: '/accept',
  decline: '/decline',
  block: '/block',
  verify: '/verify',
  contacts: '/list',
  status: '/status',
  history: '/search',
};

/**
 * Our own text, never one of others: `cadenas accept @bob` becomes `/accept @bob`; what has no command here stays.
 * Logging in has none: whoever has to is asked for it.
 */
export function typed(text: string): string {
  return text
    .replaceAll(': cadenas login', '')
    .replace(/\bcadenas room ([a-z]+)(?: ([a-z0-9_]+))?/g, (whole, verb: string, room: string | undefined) => {
      const command = rooms[verb];
      if (command === undefined) return whole;
      return room === undefined ? command : `${command} #${room}`;
    })
    .replace(/\bcadenas ([a-z0-9]+)(?= @|\b)/g, (whole, verb: string) => others[verb] ?? whole);
}

/** What went wrong and what to do, as a line here. */
export function troubleText({ message, hint }: { readonly message: string; readonly hint: string }): string {
  return plainLine(`${typed(message)} — ${typed(hint)}`);
}
