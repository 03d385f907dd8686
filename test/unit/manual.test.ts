/** What is shipped of manual and completion, and that no text in it can do more than be read. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { test } from 'tap';
import { completionScript, shells, treeOf, type Tree } from '../../src/completion/index.js';
import { main } from '../../src/faces/cli/main.js';
import { clientSchema } from '../../src/faces/cli/settings.js';
import { daemonSchema } from '../../src/server/config.js';
import { limitTable } from '../../src/server/limits.js';
import { everySetting, parseToml, settle, type Schema } from '../../src/settings/index.js';
import { made, pages, trees } from '../manual/made.js';
import { example, page, paragraph, rows, section, tagged, told, type Page } from '../manual/roff.js';
import { root } from '../support/temp.js';
import { anyNetwork } from './client-support.js';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the shipped files are of these programs', (t) => {
  const all = made();
  for (const [path, text] of all) t.equal(read(path), text, `${path}: npm run manual writes it anew`);
  const there = ['docs/man', ...shells.map((shell) => `completion/${shell}`)];
  const files = there.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`));
  t.same(files.sort(), [...all.keys()].sort(), 'and no others');
  const { man } = JSON.parse(read('package.json')) as { readonly man: readonly string[] };
  t.same([...man].sort(), files.filter((path) => path.startsWith('docs/man/')).sort(), 'npm installs every page');
  t.end();
});

test('a client prints the file that is shipped', async (t) => {
  for (const shell of shells) {
    const [stdout, stderr, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()];
    // Neither home nor secrets are needed.
    const exit = await main(anyNetwork, ['completion', shell], { stdout, stderr, stdin, env: {} });
    t.equal(exit, 0);
    t.equal(
      String(stdout.read()),
      read(`completion/${shell}/${{ bash: 'cadenas', zsh: '_cadenas', fish: 'cadenas.fish' }[shell]}`),
    );
  }
});

const schemas = [
  ['cadenasd.toml', daemonSchema],
  ['cadenas.toml', clientSchema],
] as const;

/** All names that a command line has. */
function words({ root: { commands, options } }: Tree): string[] {
  const of = (command: { readonly options: typeof options; readonly commands: typeof commands }): string[] => [
    ...command.options.flatMap(({ spellings }) => spellings),
    ...command.commands.flatMap((one) => [one.name, ...of(one)]),
  ];
  return of({ options, commands });
}

test('the pages tell every command, option, setting and limit', (t) => {
  const text = (name: string): string =>
    pages()
      .filter((one) => one.name === name)
      .flatMap(({ parts }) => parts)
      .join('\n')
      .replaceAll('\\-', '-');
  for (const tree of trees()) {
    const { name } = tree.root;
    const page = text(name);
    t.same(
      words(tree).filter((word) => !page.includes(word)),
      [],
      name,
    );
  }
  for (const [name, schema] of schemas) {
    const settings = everySetting(schema).map(({ key }) => key);
    const page = text(name);
    t.same(
      settings.filter((key) => !page.includes(`.B ${key}\n`)),
      [],
      name,
    );
  }
  const bash = read('completion/bash/cadenasd');
  t.same(
    Object.keys(limitTable).filter((limit) => !bash.includes(`${limit}=`)),
    [],
    'limits',
  );
  t.end();
});

/** What the tree knows of a line's words: undefined where one of its options is unknown. */
function understood({ root: top, everywhere }: Tree, [, ...line]: readonly string[]): string | undefined {
  let command = top;
  for (const word of line) command = command.commands.find(({ name }) => name === word) ?? command;
  const known = [...command.options, ...everywhere].flatMap(({ spellings }) => spellings);
  const isKnown = line.every((word) => !word.startsWith('-') || known.includes(word));
  return isKnown && command.commands.length === 0 ? command.name : undefined;
}

/** The lines of a page's examples, as somebody reads them. */
function exampleLines({ parts }: Page): string[] {
  const blocks = [...parts.join('\n').matchAll(/\.nf\n([^]*?)\n\.fi/g)];
  const read = (line: string): string => line.replaceAll('\\-', '-').replaceAll('\\(dq', '"').replaceAll('\\&', '');
  return blocks.flatMap(([, lines = '']) => lines.split('\n').map(read));
}

test('the examples of the pages can be typed', (t) => {
  const all = new Map(trees().map((tree) => [tree.root.name, tree]));
  const typed = pages()
    .flatMap(exampleLines)
    .map((line) => (/\$\((.*)\)/.exec(line)?.[1] ?? line).split(' '));
  const ours = typed.filter(([program = '']) => all.has(program));
  t.ok(ours.length > 12, `${String(ours.length)} lines`);
  for (const line of ours) t.ok(understood(all.get(line[0] ?? '') as Tree, line), line.join(' '));
  t.end();
});

test('the examples of settings hold', (t) => {
  for (const [name, schema] of schemas) {
    const lines = pages()
      .filter((one) => one.name === name)
      .flatMap(exampleLines);
    const { origins } = settle(schema as Schema, { file: parseToml(lines.join('\n'), name) });
    t.equal(origins.size, lines.filter((line) => line.includes(' = ')).length, name);
    t.ok(origins.size > 2);
  }
  t.end();
});

const texts = [
  '.so /etc/passwd',
  "'so /etc/passwd",
  'a\n.so /etc/passwd',
  'a\\\n.so x',
  '\\n(.z \\*[x] \\fB',
  'ends in \\',
  '"quoted" `run` ^~',
  '\u0000\u001b[2J\u2028.so x',
  'Umlaut ä, 🐴, \ud800',
  '',
  '   ',
];

test('whatever a text holds, a page is ASCII, and it begins no request', (t) => {
  for (const [number, text] of texts.entries()) {
    const parts = [section(text, paragraph(text), tagged(text, told(text)), example(text), rows({ [text]: text }))];
    const lines = page({ name: 'x', section: 1, what: text, parts }, text).split('\n');
    const begun = lines.filter((line) => /^[.']/.test(line)).map((line) => line.split(' ')[0]);
    const requests = ['.\\"', '.TH', '.nh', '.ad', '.SH', '.PP', '.TP', '.B', '.RS', '.RE', '.nf', '.fi'];
    t.same(
      begun.filter((request) => !requests.includes(request ?? '')),
      [],
      `text ${String(number)}`,
    );
    t.match(lines.join(''), /^[ -~]*$/);
    const escapes =
      lines
        .slice(1)
        .join('')
        .match(/\\(\(..|\[.*?\]|.)/g) ?? [];
    t.notOk(
      escapes.some((one) => /^\\[n*$]/.test(one)),
      'no register and no string is read',
    );
  }
  t.end();
});

test('what would have to be quoted is no word of a completion', (t) => {
  for (const name of ['a b', 'a$(b)', "a'b", 'a*', ''])
    t.throws(() => treeOf(new Command(name)), RangeError, JSON.stringify(name));
  t.end();
});

test('a description is text in each shell', (t) => {
  const what = `it's $(touch x) \`touch x\` \\ "\n%F{red}`;
  const program = new Command('harm').description(what).option('--some <file>', what);
  program.command('one').description(what);
  const [bash = '', zsh = '', fish = ''] = shells.map((shell) => completionScript(shell, treeOf(program)));
  t.notMatch(bash, 'touch', 'bash shows none');
  t.match(zsh, `'one:it'\\''s $(touch x) \`touch x\` \\\\ " %F{red}'`);
  t.match(fish, `'one' 'it\\'s $(touch x) \`touch x\` \\\\ " %F{red}'`);
  t.end();
});
