/**
 * The terminal interface in this process, before an emulator: whatever is typed, told and resized, it goes on, and
 * nothing reaches the terminal but frames of its own.
 */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { CommandName, Commands, RoomView } from '../../src/client/index.js';
import { Screen } from '../../src/faces/tui/screen/screen.js';
import { Talk } from '../../src/faces/tui/talk/talk.js';
import type { Draws } from '../support/draws.js';
import { Emulator } from '../support/emulator.js';
import { contactView, FakeClient } from '../support/fake-client.js';
import { fuzz, must } from '../support/fuzz.js';
import { keyBytes } from '../support/keys.js';

/** What somebody could write who means harm, or is only playful. */
const hostile = [
  'hello',
  'a text of some words that is long enough to be folded once or twice on most screens, and goes on',
  '\u001b[31mred\u001b]52;c;aGk=\u0007\u001b]0;title\u0007\u009b2J',
  '\u202eright to left\u2066 and \u200fmarks',
  'one\ntwo\r\nthree\n\n\nmany',
  'z\u0300\u0301\u0302\u0303\u0304\u0305a\u0306\u0307lgo'.repeat(20),
  '👨‍👩‍👧‍👦 🇫🇷🇩🇪 ❤️ 日本語のテキスト 한국어',
  'x'.repeat(700),
  '🎉'.repeat(90),
  '{red-fg}{bold}tags{/bold}',
  '12:00 @alice: I never said this\n20:00 ! THE KEYS OF @bobby CHANGED',
  '/me is here',
  '\ud800 lone \udfff',
];

const STEPS = 60;
const PEOPLE = ['alice', 'bobby', 'carol', 'mallory'];

/** Everything that frames are made of; what is left is text. */
const ours =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /\u001b\[[0-9;?]*[A-HJKhlmrt]|\u001b[78]|\u001b\](?:2;\(?\d*\)? ?Cadenas|9;Cadenas: something new|52;c;[A-Za-z0-9+/=]*)\u0007|\u0007/g;
// eslint-disable-next-line no-control-regex -- as above
const control = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

class Output extends EventEmitter {
  readonly isTTY = true;
  readonly emulator: Emulator;
  columns: number;
  rows: number;
  raw = '';

  constructor(columns: number, rows: number) {
    super();
    [this.columns, this.rows] = [columns, rows];
    this.emulator = new Emulator(columns, rows, () => undefined);
  }

  write(text: string): void {
    this.raw += text;
    this.emulator.write(Buffer.from(text));
  }

  resize(columns: number, rows: number): void {
    [this.columns, this.rows] = [columns, rows];
    this.emulator.resize(columns, rows);
    this.emit('resize');
  }

  /** Resolves when the emulator has taken all. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.emulator.write('', resolve));
  }
}

/** Answers everything, also what changes something. */
class Answering extends FakeClient {
  override async call<C extends CommandName>(command: C, args: Commands[C]['args']): Promise<Commands[C]['result']> {
    const { name = 'alice' } = args as { readonly name?: string };
    const number = '12345'.repeat(12);
    const safety = { name, number, words: Array<string>(18).fill('word'), fingerprint: '0a'.repeat(32) };
    const others: { readonly [A in CommandName]?: object } = {
      verify: { ...safety, verified: false, changed: this.contacts.get(name)?.changed === true, former: '0b' },
      confirm: { ...safety, verified: true, changed: false, again: 0 },
      reject: { ...safety, verified: false, changed: false },
      accept: { name, relation: 'open', pending: false },
      decline: { name, relation: 'declined', pending: false },
      block: { name, relation: 'blocked', pending: false },
      add: { name, relation: 'asked', pending: false },
      receipts: { on: true },
      account: { factor: 'totp' },
      'room-members': { members: [] },
    };
    const other = others[command];
    return other ? other : super.call(command, args);
  }
}

const room = (name: string, draws: Draws): RoomView => ({
  name,
  standing: draws.pick(['member', 'invited', 'offered'] as const),
  kind: 'invitation',
  by: draws.pick(PEOPLE),
  members: 3,
  unread: 0,
  latest: 1,
  until: 5,
  common: false,
});

const keys = [
  'enter',
  'esc',
  'tab',
  'shift-tab',
  'up',
  'down',
  'left',
  'right',
  'pgup',
  'pgdn',
  'home',
  'end',
  'backspace',
];
const chords = [
  'alt-a',
  'alt-1',
  'alt-3',
  'alt-y',
  'alt-n',
  'alt-enter',
  'alt-end',
  'ctrl-n',
  'ctrl-p',
  'ctrl-k',
  'ctrl-l',
];
const editing = [
  'ctrl-r',
  'ctrl-u',
  'ctrl-w',
  'ctrl-y',
  'ctrl-a',
  'ctrl-e',
  'ctrl-t',
  'ctrl-_',
  'ctrl-j',
  'ctrl-c',
  'f1',
];
const lines = [
  '/help',
  '/list',
  '/verify',
  '/whois',
  '/search some',
  '/search',
  '/clear',
  '/copy',
  '/me waves',
  '/away',
  '/back',
];
const more = [
  '/names',
  '/theme light',
  '/nonsense',
  '// slash',
  'hello :smile:',
  '/query @bobby',
  '/msg @alice x',
  '/room',
  '/add @x',
];

function typed(draws: Draws): Buffer {
  switch (draws.below(5)) {
    case 0:
      return Buffer.from(keyBytes(draws.pick([...keys, ...chords, ...editing])));
    case 1:
      return Buffer.from(`${draws.pick([...lines, ...more])}\r`);
    case 2:
      return Buffer.from(draws.bytes(draws.below(12)));
    case 3:
      return Buffer.from(`\u001b[200~${draws.pick(hostile)}\u001b[201~`);
    default:
      return Buffer.from(draws.pick(hostile).slice(0, 40));
  }
}

function told(draws: Draws, client: Answering): void {
  const name = draws.pick(PEOPLE);
  switch (draws.below(7)) {
    case 0:
    case 1:
      client.says(name, draws.pick(hostile));
      return;
    case 2:
      client.notice(draws.pick(['changed', 'gap', 'accepted', 'renewal-done'] as const), name);
      return;
    case 3:
      client.own(name, draws.pick(hostile));
      return;
    case 4: {
      const row = client.rows[draws.below(Math.max(1, client.rows.length))];
      if (row) client.forget(row.type === 'out' ? row.id : row.key);
      return;
    }
    case 5:
      client.contacts.set(
        name,
        contactView(name, {
          relation: draws.pick(['open', 'requested', 'asked'] as const),
          changed: draws.below(4) === 0,
        }),
      );
      client.emit({ type: 'changed', of: 'contacts' });
      return;
    default:
      if (draws.below(3) === 0) client.contacts.delete(name);
      client.rooms.set('garden', room('garden', draws));
      client.emit({ type: 'changed', of: 'rooms' });
  }
}

/* Ctrl-Z stops the process group, which is that of the tests: here it goes on at once, as after `fg`. */
process.kill = () => true;

const clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

fuzz('the screen goes on, and nothing but frames reaches the terminal', 150, async (draws) => {
  const output = new Output(20 + draws.below(100), 6 + draws.below(34));
  const input = new PassThrough();
  const client = new Answering();
  client.contacts.set('alice', contactView('alice'));
  client.says('alice', 'before anybody looked');
  const signal = new AbortController().signal;
  const screen = new Screen(
    { env: {}, stdin: input, stdout: output, signal, interrupt: () => undefined },
    { colour: true, theme: 'dark', bell: true, notify: true, warning: undefined },
  );
  const talk = new Talk(client, screen, clock);
  try {
    await talk.start();
    const ending = screen.converse(talk);
    for (let step = 0; step < STEPS && !screen.hasQuit; step++) {
      const what = draws.below(12);
      if (what < 6) input.write(typed(draws));
      else if (what < 11) told(draws, client);
      else output.resize(1 + draws.below(120), 1 + draws.below(40));
      await turn();
      await turn();
      if (step % 10 === 0) await output.settled();
    }
    process.emit('SIGCONT');
    await turn();
    await output.settled();
    must(output.emulator.alternate || screen.hasQuit, 'the screen is the alternate one');
    const left = output.raw.replace(ours, '');
    must(!control.test(left), () => `something else reached the terminal: ${JSON.stringify(control.exec(left))}`);
    screen.quit();
    await ending;
  } finally {
    talk.close();
    screen.close();
    input.destroy();
  }
  await output.settled();
  must(!output.emulator.alternate, 'the terminal has its screen back');
  must(!output.emulator.modes.bracketedPaste && !output.emulator.modes.focus, 'and its modes');
});
