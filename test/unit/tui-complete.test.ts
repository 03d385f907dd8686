/** Completion by Tab, and names of emoji. */
import { test } from 'tap';
import { CANDIDATES_MAX, complete, Completion, type Sources } from '../../src/faces/tui/text/complete.js';
import { LineEditor } from '../../src/faces/tui/text/editor.js';
import { loadEmoji, replaceShortcodes } from '../../src/faces/tui/text/emoji.js';
import { Seeded } from '../vectors/seeded.js';
import { escaped, floods, hostileText, newSeed } from './hostile-text.js';

const seed = newSeed();
const sources: Sources = {
  names: ['bob', 'carol', 'bobby', 'jacob'],
  rooms: ['garden', 'red-team'],
  commands: ['join', 'leave', 'list'],
};

function found(text: string, from = sources): readonly string[] | undefined {
  const cursor = text.includes('|') ? text.indexOf('|') : text.length;
  const line = text.replace('|', '');
  const result = complete(line, cursor, from);
  return result && result.candidates.map((one) => line.slice(0, result.from) + one.text + line.slice(result.to));
}

test('the word before the cursor', (t) => {
  t.same(found('/l'), ['/leave ', '/list ']);
  t.same(found('/L'), ['/leave ', '/list ']);
  t.same(found('/'), ['/join ', '/leave ', '/list ']);
  t.same(found('x /l'), undefined, 'a command begins the text');
  t.same(found('a\n/l'), undefined);
  t.same(found('/msg @bo'), ['/msg @bob ', '/msg @bobby ']);
  t.same(found('@ob'), ['@bob ', '@bobby ', '@jacob ']);
  t.same(found('hi (@CA'), ['hi (@carol ']);
  t.same(found('mail@bo'), undefined, 'an address is nobody');
  t.same(found('see #ga|, ok'), ['see #garden , ok']);
  t.same(found('#team'), ['#red-team ']);
  t.same(found('bo'), ['bob: ', 'bobby: ']);
  t.same(found('one\nca'), ['one\ncarol: ']);
  t.same(found('say bo'), undefined, 'a bare name stands at the start of a line');
  t.same(found(''), undefined);
  t.same(found('@zed'), undefined);
  t.same(found(`${'x'.repeat(200)}bo`), undefined);
  t.end();
});

test('those that begin with it come first, and never too many', (t) => {
  const names = ['xab', 'abx', 'yab', 'aby'];
  t.same(found('@ab', { ...sources, names }), ['@abx ', '@aby ', '@xab ', '@yab ']);
  const many = Array.from({ length: 500 }, (_, i) => `name${i}`);
  t.equal(found('@name', { ...sources, names: many })?.length, CANDIDATES_MAX);
  t.end();
});

test('emoji by name', async (t) => {
  const emoji = await loadEmoji();
  const withEmoji = { ...sources, emoji };
  t.equal(found('so :smil', withEmoji)?.[0], 'so 😄');
  t.same(complete('so :smil', 8, withEmoji)?.candidates[0], { text: '😄', label: '😄 :smile:' });
  t.equal(found('so :+1', withEmoji)?.[0], 'so 👍');
  t.same(found(':s', withEmoji), undefined, 'one letter is too little');
  t.same(found('at 10:30', withEmoji), undefined, 'a time is no emoji');
  t.same(found('so :smil'), undefined, 'not loaded yet');

  const replaced = (text: string): string => replaceShortcodes(text, emoji);
  t.equal(replaced('hi :smile::+1: there'), 'hi 😄👍 there');
  t.equal(replaced(':nobody: 10:30:15 a:b:c'), ':nobody: 10:30:15 a:b:c');
  t.equal(replaced('`:smile:` :smile:'), '`:smile:` 😄');
  t.equal(replaced('``a ` :smile:`` :smile:'), '``a ` :smile:`` 😄');
  t.equal(replaced('```\n:smile:\n```'), '```\n:smile:\n```');
  t.equal(replaced('` :smile:'), '` 😄', 'a quote without its partner');
  t.equal(replaced(':constructor: :__proto__:'), ':constructor: :__proto__:');
  t.equal(replaced('(:smile:), :nobody::smile:!'), '(😄), :nobody:😄!');
  t.equal(replaced('fe80:a:b 1:100:2 ::a: x:a: :a:x'), 'fe80:a:b 1:100:2 ::a: x:a: :a:x', 'addresses and words stay');
  t.equal(replaced('語:smile:'), '語:smile:');
});

test('Tab goes on, Shift-Tab back, and what was typed is among them', (t) => {
  const editor = new LineEditor({ limit: 99 });
  editor.set('hi @bo');
  const result = complete(editor.text, editor.cursor, sources);
  if (!result) throw new Error('nothing was found');
  const completion = new Completion(result, editor.text);
  const step = (by: 1 | -1): string => {
    const { from, to, text } = completion.step(by);
    editor.replace(from, to, text);
    return editor.text;
  };
  t.equal(completion.chosen, undefined);
  t.equal(step(1), 'hi @bob ');
  t.equal(completion.chosen, 0);
  t.equal(step(1), 'hi @bobby ');
  t.equal(step(1), 'hi @bo');
  t.equal(completion.chosen, undefined);
  t.equal(step(1), 'hi @bob ');
  t.equal(step(-1), 'hi @bo');
  t.equal(step(-1), 'hi @bobby ');
  t.equal(completion.candidates.length, 2);
  t.end();
});

test(`hostile lines (SEED=${seed})`, async (t) => {
  const random = new Seeded(seed);
  const withEmoji = { ...sources, emoji: await loadEmoji() };
  for (let round = 0; round < 500; round++) {
    const line = hostileText(random, 20) + random.pick(['@', '#', ':sm', '/', 'bo', '`', '']);
    const result = complete(line, random.below(line.length + 1), withEmoji);
    if (result && (result.from < 0 || result.to > line.length || result.candidates.length === 0)) t.fail(escaped(line));
  }
  const began = performance.now();
  const long = {
    ...floods,
    quotes: '`'.repeat(1 << 16),
    pairs: '` '.repeat(1 << 15),
    'quotes of all lengths': lengths(360),
  };
  for (const [name, text] of Object.entries({ ...long, colons: ':'.repeat(1 << 16), names: ':a'.repeat(1 << 15) })) {
    complete(text, text.length, withEmoji);
    t.equal(replaceShortcodes(text, withEmoji.emoji), text, name);
  }
  t.ok(performance.now() - began < 5_000, `${(performance.now() - began).toFixed(0)} ms`);
});

/** Backquotes of which none closes another. */
function lengths(most: number): string {
  return Array.from({ length: most }, (_, i) => '`'.repeat(i + 1)).join(' ');
}
