/** The tables of commands and keys, and all that is made of them or speaks of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { chatKeys, keys, screenKeys, spelled } from '../../src/faces/tui/commands/keys.js';
import { commandNames, commands, helpLines } from '../../src/faces/tui/commands/table.js';
import { typed } from '../../src/faces/tui/commands/typed.js';
import { chatPage } from '../manual/chat.js';
import { page } from '../manual/roff.js';
import { root } from '../support/temp.js';

const named: Readonly<Record<string, string>> = { '-': '-', '&': '', e: '\\', '(aq': "'", '(dq': '"', '(ha': '^' };

/** What somebody reads of a page, lines joined. */
const plainOf = (roff: string): string =>
  roff
    .replaceAll(/\\\[u([0-9A-F]+)\]/g, (_, code: string) => String.fromCodePoint(parseInt(code, 16)))
    .replaceAll(/\\(\(..|.)/g, (_, name: string) => named[name] ?? `?${name}`)
    .replaceAll('\n', ' ');

test('help and manual name every command and every key', (t) => {
  const told = { help: helpLines().join('\n'), manual: plainOf(page(chatPage(), '1.2.3')) };
  for (const [where, text] of Object.entries(told)) {
    for (const { name, usage, what } of commands)
      t.ok(text.includes(`/${name} ${usage}`.trim()) && text.includes(what), `${where}: /${name}`);
    for (const [key, what] of keys) t.ok(text.includes(key) && text.includes(what), `${where}: ${key}`);
  }
  t.equal(new Set(commandNames).size, commands.length, 'no name twice');
  t.end();
});

test('what a key does is told under its name', (t) => {
  const told = keys.map(([key]) => key).join(', ');
  for (const chord of [...chatKeys.keys(), ...screenKeys.keys()]) {
    const isOfTen = /^A-[2-9]$/.test(chord); // told as the first and the last of a row
    t.ok(isOfTen || told.includes(spelled(chord)), chord);
  }
  t.notOk(
    [...screenKeys.keys()].some((chord) => chatKeys.has(chord)),
    'no key does two things',
  );
  t.same(['C-a', 'A-end', 'S-tab', 'pageup', 'f1'].map(spelled), ['Ctrl-A', 'Alt-End', 'Shift-Tab', 'PgUp', 'F1']);
  t.end();
});

test('no key is bound beside the table', (t) => {
  /* The editor's own keys are readline's, and those of a dialog stand under it. */
  for (const file of ['chat', 'screen']) {
    const source = readFileSync(join(root, `src/faces/tui/screen/${file}.ts`), 'utf8');
    const bound = source.match(/'(?:(?:[CAS]-)+[a-z0-9_]+|pageup|pagedown|escape|tab|f\d+)'/g) ?? [];
    t.same(new Set(bound), new Set(file === 'screen' ? ["'C-c'"] : []), file); // before anything is shown it ends all
  }
  t.end();
});

/** Every `cadenas …` that the wording or an error has, with names in the place of what is filled in. */
function told(): string[] {
  const folder = join(root, 'src/faces/wording');
  const files = readdirSync(folder).flatMap((name) => (name.endsWith('.ts') ? [join(folder, name)] : []));
  return [...files, join(root, 'src/client/errors.ts')].flatMap((file) =>
    readFileSync(file, 'utf8')
      .replaceAll('@${', '${')
      .replaceAll(/\$\{(?:who|name)\}(?=[^\n]*room )/g, 'garden')
      .replaceAll(/\$\{(?:who|name)\}/g, '@bobby')
      .replaceAll(/\$\{room\}/g, 'garden')
      .split(/['`\n]/)
      .filter((text) => text.includes('cadenas ')),
  );
}

test('what is said of the command line exists as it is typed here, or stays whole', (t) => {
  const verbs = commands.find(({ name }) => name === 'room')?.usage ?? '';
  const texts = told();
  t.ok(texts.length > 30, `${String(texts.length)} texts`);
  for (const text of texts) {
    const now = typed(text);
    const asked = text.match(/: cadenas login\b/g)?.length ?? 0; // whoever has to is asked for it
    const made = [...now.matchAll(/(?<=^|[\s(])\/([a-z0-9]+)(?: ([a-z]+))?/g)];
    for (const [whole, name = '', verb = ''] of made) {
      t.ok(commandNames.includes(name), `${whole} of ${text}`);
      if (name === 'room') t.ok(new RegExp(`(^|\\| )${verb}\\b`).test(verbs), `${whole} of ${text}`);
    }
    t.notMatch(now, /\/[a-z0-9]+(?: [#@]?\w+)* --/, 'a command here has no options');
    const left = now.match(/cadenas [^:;,.)]+/g) ?? [];
    for (const one of left) t.ok(text.includes(one), `${one} is whole`);
    t.equal(made.length + left.length + asked, text.match(/cadenas /g)?.length, text);
  }
  t.end();
});
