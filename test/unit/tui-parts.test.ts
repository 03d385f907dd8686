/** What the screen is put together of: when it is painted, what is typed, what is found, who asks. */
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'tap';
import type { Row } from '../../src/client/index.js';
import type { Question, Surface } from '../../src/faces/tui/commands/surface.js';
import { Asking } from '../../src/faces/tui/screen/asking.js';
import { Input } from '../../src/faces/tui/screen/input.js';
import { Painter } from '../../src/faces/tui/screen/painter.js';
import { Searcher } from '../../src/faces/tui/screen/searcher.js';
import { switchTo } from '../../src/faces/tui/screen/switcher.js';
import type { Conversation } from '../../src/faces/tui/talk/conversation.js';
import { press } from '../../src/faces/tui/text/key.js';
import { contact, message, notice, own, room, talkOf } from '../support/talked.js';

/** A screen of two frames a second is nobody's; one of more than thirty costs for nothing. */
const FRAME_MS = 33;

test('keys are painted at once, once for all of a chunk', async (t) => {
  let frames = 0;
  const painter = new Painter(() => frames++);
  for (let key = 0; key < 50; key++) painter.now();
  t.equal(frames, 0, 'not within the key');
  await turn();
  t.equal(frames, 1);
  painter.now();
  painter.soon();
  await turn();
  t.equal(frames, 2);
  painter.close();
});

test('what nobody typed for is painted thirty times a second at most, and at the end', async (t) => {
  const times: number[] = [];
  let state = 0;
  let painted = -1;
  let wake: () => void = () => undefined;
  const painter = new Painter(() => {
    times.push(performance.now());
    painted = state;
    wake();
  });
  for (; times.length < 5; state++) {
    painter.soon();
    await turn();
  }
  painter.soon();
  await new Promise<void>((resolve) => (wake = resolve));
  t.equal(painted, state, 'the last change is on the screen');
  const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
  t.ok(
    gaps.every((gap) => gap > FRAME_MS - 2),
    gaps.map((gap) => gap.toFixed(1)).join(' '),
  );
  painter.soon();
  painter.now();
  painter.close();
  painter.now();
  const before = times.length;
  await turn();
  t.equal(times.length, before, 'closed, it paints no more');
});

const word = (input: Input, text: string): void => void input.take({ type: 'text', text });
const sources = { names: ['bobby', 'boris', 'carol'], rooms: ['garden'], commands: ['add', 'away'] };

test('Tab completes, goes on to the next, and any other key keeps what is there', async (t) => {
  const input = new Input();
  word(input, 'hi @bo');
  await input.complete(1, sources);
  t.equal(input.editor.text, 'hi @bobby ');
  t.equal(input.hint, '[@bobby]  @boris');
  await input.complete(1, sources);
  t.equal(input.editor.text, 'hi @boris ');
  await input.complete(-1, sources);
  t.equal(input.editor.text, 'hi @bobby ');
  input.settle();
  t.equal(input.hint, undefined);
  word(input, ':tomat');
  await input.complete(1, sources);
  t.equal(input.editor.text, 'hi @bobby 🍅');
  t.equal(input.hint, undefined, 'one alone is what was meant');
  input.set('#ga');
  await input.complete(1, sources);
  t.equal(input.editor.text, '#garden ');
  input.set('nothing to complete');
  await input.complete(1, sources);
  t.equal(input.editor.text, 'nothing to complete');
  input.set(':tom');
  const completing = input.complete(1, sources);
  word(input, 'orrow');
  await completing;
  t.equal(input.editor.text, ':tomorrow', 'who went on typing is not interrupted');
});

test('names of emoji become emoji as a text is sent, not in commands', async (t) => {
  const input = new Input();
  t.equal(input.written('so :smile:'), undefined, 'they are not read yet');
  t.equal(input.written('plain'), 'plain');
  await input.prepare();
  t.equal(input.written('so :smile:, :nobody:'), 'so 😄, :nobody:');
  t.equal(input.written('/add :smile:'), '/add :smile:');
  t.equal(input.written('at 10:20:30'), 'at 10:20:30');
  word(input, 'one');
  input.editor.finish();
  input.take(press('r', { ctrl: true }));
  t.equal(input.hint, 'search in what you typed: ');
  word(input, 'x\u202e');
  t.match(input.hint, / \(not found\)$/);
  t.notMatch(input.hint, /\u202e/);
});

test('the newest place first, then the older ones, as far back as is kept', async (t) => {
  const page = (before: number): { rows: Row[]; more: boolean } => {
    const rows = [before - 2, before - 1].filter((order) => order > 0);
    return {
      rows: rows.map((order) => message(order, order % 4 === 0 ? `Apple ${String(order)}` : 'x')),
      more: before > 3,
    };
  };
  const { talk, calls } = await talkOf([contact('bobby')], [], { page: ({ before }) => page(Math.min(before, 21)) });
  const one = talk.conversation('bobby');
  one.scroll.add(own(22, 'APPLE pie'));
  one.scroll.add(notice(23, 'accepted', { detail: 'apple' }));
  one.scroll.say('apple, said here', 0);
  const searcher = new Searcher();
  const found = async (pattern: string): Promise<number | undefined> =>
    (await searcher.next(talk, one, pattern))?.order;
  t.equal(await found(''), undefined, 'nothing was searched for');
  t.equal(await found('apple'), 22);
  t.equal(await found('aPPle'), 20);
  t.equal(await found(''), 16);
  t.equal(await found('pie'), 22, 'another text begins at the end');
  for (const order of [22, 20, 16, 12, 8, 4]) t.equal(await found('apple'), order);
  t.equal(await found(''), undefined);
  t.equal(one.scroll.older, false);
  t.equal(await found('nowhere'), undefined);
  const asked = calls.length;
  await found('nowhere else');
  t.equal(calls.length, asked, 'all is here');
  searcher.end();
  t.equal(searcher.pattern, '');
});

test('a search reads so many pages, not all that there ever was', async (t) => {
  const { talk, calls } = await talkOf([contact('bobby')], [], {
    page: ({ before }) => ({ rows: [message(before - 1, 'x')], more: true }),
  });
  const one = talk.conversation('bobby');
  one.scroll.add(message(1_000_000, 'x'));
  const before = calls.length;
  t.equal(await new Searcher().next(talk, one, 'never'), undefined);
  t.equal(calls.length - before, 64);
});

test('safety words of who asks are learnt once for their keys; at home of who asks first', async (t) => {
  const { talk, calls } = await talkOf(
    [contact('bobby'), contact('carol', { relation: 'requested', fingerprint: '01' })],
    [room('garden', { standing: 'invited', latest: -1 })],
    { verify: () => ({ words: ['river', 'stone'] }) },
  );
  const asking = new Asking(talk);
  const [bobby, carol] = [talk.conversation('bobby'), talk.conversation('carol')];
  t.equal(asking.about(bobby), bobby);
  t.equal(asking.about(talk.home), carol);
  t.equal(asking.learn(bobby), undefined);
  const learning = asking.learn(carol);
  t.equal(asking.wordsOf(carol), '');
  t.equal(asking.learn(carol), undefined, 'they are asked for already');
  await learning;
  t.equal(asking.wordsOf(carol), 'river stone');
  carol.contact = contact('carol', { relation: 'requested', fingerprint: '02' });
  t.equal(asking.wordsOf(carol), '', 'those of other keys are others');
  await asking.learn(carol);
  t.equal(calls.filter(([command]) => command === 'verify').length, 2);
  carol.contact = contact('carol');
  t.equal(asking.about(talk.home).key, '#garden');
});

test('a conversation is found by its name, its beginning, or a part', async (t) => {
  const { talk } = await talkOf([contact('bobby'), contact('carol', { unread: 2 })], [room('garden'), room('bob')]);
  const asked: Question[] = [];
  const goes = async (typed: string | undefined): Promise<string | undefined> => {
    let opened: Conversation | undefined;
    const surface = {
      talk,
      ask: (question: Question) => {
        asked.push(question);
        return Promise.resolve(typed === undefined ? undefined : question.options?.(typed)[0]?.value);
      },
      open: (one: Conversation) => (opened = one),
    } as unknown as Surface;
    await switchTo(surface);
    return opened?.label;
  };
  const cases: readonly (readonly [string | undefined, string | undefined])[] = [
    ...([
      ['bobby', '@bobby'],
      ['@bobby', '@bobby'],
      [' BOB ', '#bob'],
      ['#bob', '#bob'],
      ['gar', '#garden'],
    ] as const),
    ...([
      ['#g', '#garden'],
      ['rol', '@carol'],
      ['home', 'home'],
      [undefined, undefined],
    ] as const),
  ];
  for (const [typed, label] of cases) t.equal(await goes(typed), label, typed ?? 'Esc');
  const { field, options }: Partial<Question> = asked[0] ?? {};
  t.equal(field?.check?.('nobody'), 'nobody is called so');
  t.equal(field?.check?.('car'), undefined);
  t.ok(
    options?.('').some(({ label }) => label === '@carol (2)'),
    'all stand there before anything is typed',
  );
  t.same(
    options?.('bob').map(({ label }) => label),
    ['#bob', '@bobby'],
    'what is called so stands first',
  );
});
