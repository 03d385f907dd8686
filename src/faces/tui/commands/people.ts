/** Commands about people. */
import type { ContactView, RelationView, SafetyView } from '../../../client/index.js';
import { plainLine } from '../../../plain/plain.js';
import { safetyCode } from '../../../../protocol/index.js';
import { contactLine, safetyText, spoken } from '../../wording/people.js';
import { roomLine } from '../../wording/rooms.js';
import { mistake, personOf, split, withoutAt, type Command } from './command.js';
import type { Conversation } from '../talk/conversation.js';
import type { Surface } from './surface.js';
import { troubleText, typed } from './typed.js';

async function add(surface: Surface, rest: string): Promise<void> {
  if (rest === '') throw mistake('whom?', '/add @name asks somebody to talk');
  const view = await surface.talk.call('add', { name: withoutAt(rest) });
  const one = surface.talk.conversation(view.name);
  surface.open(one);
  tell(
    surface,
    view,
    view.relation === 'open'
      ? `@${view.name} and you can talk`
      : `asked @${view.name}. Write at once: what you send waits until they accept`,
  );
}

/** What was done, and why the daemon does not know it yet. */
function tell(surface: Surface, view: RelationView, text: string): void {
  surface.say(view.trouble ? `${text} (kept for later: ${plainLine(view.trouble.message)})` : text);
}

async function accept(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const view = await surface.talk.call('accept', { name: personOf(where, rest) });
  surface.open(surface.talk.conversation(view.name));
  tell(surface, view, `accepted @${view.name}: you can talk now`);
}

async function decline(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const view = await surface.talk.call('decline', { name: personOf(where, rest) });
  surface.open(surface.talk.home);
  tell(surface, view, `declined @${view.name}`);
}

async function block(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const name = personOf(where, rest);
  const sure = await surface.ask({
    title: `Block @${plainLine(name)}?`,
    text: ['Nothing of theirs is taken or shown any more. They are not told. To lift it, ask them again: /add'],
    choices: [{ key: 'b', label: 'block', value: 'yes' }],
  });
  if (sure === undefined) return;
  const view = await surface.talk.call('block', { name });
  surface.open(surface.talk.home);
  tell(surface, view, `blocked @${view.name}`);
}

async function verify(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const name = personOf(where, rest);
  const view = await surface.talk.call('verify', { name });
  await (view.changed ? decide(surface, view) : compare(surface, view));
}

function safety(view: SafetyView): { readonly text: readonly string[]; readonly code: string } {
  return {
    text: [
      ...safetyText(view).split('\n'),
      '',
      `Compare it with what @${plainLine(view.name)} sees by /verify, face to face or on the phone: digits or words, all of them.`,
    ],
    code: safetyCode(view.number),
  };
}

async function compare(surface: Surface, view: SafetyView): Promise<void> {
  const who = `@${plainLine(view.name)}`;
  const answer = await surface.ask({
    title: `Safety number of you and ${who}: ${view.verified ? 'verified' : 'not verified'}`,
    ...safety(view),
    choices: view.verified ? [] : [{ key: 'c', label: 'I compared it, it is the same', value: 'same' }],
  });
  if (answer !== 'same') return;
  await surface.talk.call('confirm', { name: view.name });
  surface.say(`verified ${who}`);
}

/** Keys that changed: what is decided here is typed, so that no key that was meant for a text decides it. */
async function decide(surface: Surface, view: SafetyView): Promise<void> {
  const who = `@${plainLine(view.name)}`;
  const { text, code } = safety(view);
  const answer = await surface.ask({
    title: `THE KEYS OF ${who} CHANGED`,
    code,
    text: [
      `Other keys came for ${who}: a new device of theirs, or somebody in between. Nothing is sent to them until you decide.`,
      view.signed
        ? 'The former keys signed the new ones: a renewal, or a thief of those.'
        : 'Nobody who has the former keys signed the new ones.',
      `The fingerprint of the former keys begins ${spoken((view.former ?? '').slice(0, 16))}, that of the new ones ${spoken(view.fingerprint.slice(0, 16))}.`,
      '',
      ...text,
      '',
      'Ask them by other means, then type: same — the new keys are theirs; other — they are not. Esc: decide later.',
    ],
    field: {
      label: 'same or other: ',
      isSecret: false,
      check: (word) => (['same', 'other'].includes(word.trim()) ? undefined : 'type same or other, or press Esc'),
    },
  });
  if (answer === undefined) return surface.say(`not decided: nothing is sent to ${who}`, true);
  if (answer.trim() === 'other') {
    await surface.talk.call('reject', { name: view.name });
    return surface.say(`kept the former keys of ${who}. Tell your operator`);
  }
  const { again } = await surface.talk.call('confirm', { name: view.name });
  const lost = again === 0 ? '' : `; ${String(again)} of your texts were sealed for the former keys: send them again`;
  surface.say(`verified ${who}${lost}`);
}

async function contactOf(surface: Surface, named: string, where: Conversation): Promise<ContactView> {
  const name = personOf(where, named);
  const { contacts } = await surface.talk.client.call('contacts', { check: false });
  const known = contacts.find((one) => one.name === name.toLowerCase());
  if (!known) throw mistake(`@${plainLine(name)} is not in your contact book`, `ask them: /add @${plainLine(name)}`);
  return known;
}

async function whois(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const contact = await contactOf(surface, rest, where);
  surface.say(contactLine(contact));
}

async function query(surface: Surface, rest: string): Promise<void> {
  const [word] = split(rest);
  const one = surface.talk.find(withoutAt(word).toLowerCase());
  if (word === '' || !one)
    throw mistake(
      `there is no conversation ${plainLine(word)}`,
      'see /list; /add @name asks somebody, /join #name enters a room',
    );
  surface.open(one);
  return Promise.resolve();
}

async function message(surface: Surface, rest: string, where: Conversation): Promise<void> {
  const [word, text] = split(rest);
  if (word === '' || text === '') throw mistake('whom, and what?', '/msg @name text');
  const one = surface.talk.find(withoutAt(word).toLowerCase());
  if (!one) throw mistake(`there is no conversation ${plainLine(word)}`, 'see /list');
  const trouble = await surface.talk.send(one, text);
  if (trouble) surface.say(troubleText(trouble), true);
  else if (one !== where) surface.say(`sent to ${one.label}`);
}

async function list(surface: Surface): Promise<void> {
  const [{ contacts }, { rooms }] = await Promise.all([
    surface.talk.client.call('contacts', { check: false }),
    surface.talk.client.call('rooms', {}),
  ]);
  const now = Date.now();
  const lines = [
    ...contacts.map((one) => contactLine({ ...one, fingerprint: '' })),
    ...rooms.map((room) => typed(roomLine(room, now))),
  ];
  surface.say(lines.length === 0 ? 'nobody yet: /add @name, or /join #room' : lines.join('\n'));
}

export const peopleCommands: readonly Command[] = [
  { name: 'list', usage: '', what: 'your contacts and rooms', run: list },
  { name: 'add', usage: '@name', what: 'ask somebody to talk', moves: true, run: add },
  { name: 'accept', usage: '[@name]', what: 'accept who asked you (Alt-Y)', moves: true, run: accept },
  { name: 'decline', usage: '[@name]', what: 'decline who asked you (Alt-N)', moves: true, run: decline },
  { name: 'block', usage: '[@name]', what: 'take nothing from somebody any more', moves: true, run: block },
  {
    name: 'verify',
    usage: '[@name]',
    what: 'compare your keys with somebody’s, or decide on changed ones',
    run: verify,
  },
  { name: 'whois', usage: '[@name]', what: 'what is known of somebody', run: whois },
  { name: 'query', usage: '@name or #room', what: 'show a conversation', moves: true, run: query },
  { name: 'msg', usage: '@name text', what: 'send a text without going there', run: message },
];

export { accept, decline, verify };
