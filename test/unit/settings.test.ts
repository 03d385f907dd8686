/** What can be set: kinds, where a value comes from, mistakes with their lines, and files that are hostile. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { test } from 'tap';
import { clientSchema } from '../../src/faces/cli/settings.js';
import { daemonSchema } from '../../src/server/config.js';
import {
  addConfigOptions,
  addFlags,
  defaultFile,
  differences,
  everySetting,
  nearest,
  oneOf,
  parseToml,
  path,
  readTomlFile,
  settle,
  settledFile,
  settledRows,
  sourcesOf,
  text,
  texts,
  variableOf,
  whole,
  yesOrNo,
  type Program,
  type Sources,
} from '../../src/settings/index.js';

const upper = (typed: string): string | undefined => (/^[a-z]+$/.test(typed) ? typed.toUpperCase() : undefined);
const schema = {
  one: {
    number: whole(1, 9, { what: 'a number', value: 5, unit: 'apples', flags: [{ syntax: '--number <n>' }] }),
    'a-word': oneOf(['red', 'green'], { what: 'a word', value: 'red', flags: [{ syntax: '--word <word>' }] }),
    on: yesOrNo({
      what: 'on or off',
      value: true,
      flags: [
        { syntax: '--on', means: 'true' },
        { syntax: '--off', means: 'false' },
      ],
    }),
  },
  two: {
    name: text('small letters', upper, { what: 'a name', value: undefined }, (name) => name.toLowerCase()),
    place: path({ what: 'a place', value: undefined, otherwise: 'nowhere', flags: [{ syntax: '--place <dir>' }] }),
    list: texts('small letters', (typed) => (upper(typed) === undefined ? undefined : typed), {
      what: 'a list',
      value: [],
      flags: [{ syntax: '--list <word>' }],
    }),
  },
} as const;

const ofText = (...lines: readonly string[]) => settle(schema, { file: parseToml(lines.join('\n'), '/etc/x.toml') });
const ofVariables = (values: Readonly<Record<string, string>>) =>
  settle(schema, { environment: { prefix: 'X_', others: ['X_CONFIG'], values } });

function onLine(argv: readonly string[], sources: Sources = {}) {
  const program: Program = { schema, prefix: 'X_', usualFiles: [] };
  const command = addConfigOptions(addFlags(new Command('x').exitOverride(), schema), 'none');
  const { flags } = sourcesOf(command.parse(argv, { from: 'user' }), program, {});
  return settle(schema, { ...sources, ...(flags ? { flags } : {}) });
}

test('every kind, as a file, the environment and the line have it', (t) => {
  const settled = {
    one: { number: 9, 'a-word': 'green', on: false },
    two: { name: 'BOB', place: '/etc/there', list: ['x', 'y'] },
  };
  t.same(
    ofText(
      ...['[one]', 'number = 9', 'a-word = "green"', 'on = false'],
      ...['[two]', 'name = "bob"', 'place = "there"', 'list = ["x", "y"]'],
    ).values,
    settled,
  );
  t.same(ofText('one = { number = 9, a-word = "green", on = false }').values.one, settled.one, 'an inline table');
  t.same(ofText('one.number = 9', 'one."a-word" = "green"', 'one.on = false').values.one, settled.one, 'dotted');
  const variables = { X_ONE_NUMBER: '9', X_ONE_A_WORD: 'green', X_ONE_ON: 'false', X_CONFIG: 'f', OTHER: 'x' };
  t.same(ofVariables(variables).values.one, settled.one);
  t.same(ofVariables({ X_TWO_NAME: 'bob', X_TWO_PLACE: 'there', X_TWO_LIST: 'x, y' }).values.two, {
    ...settled.two,
    place: 'there',
  });
  t.same(ofVariables({ X_TWO_LIST: '' }).values.two.list, []);
  t.same(onLine(['--number', '9', '--word', 'green', '--off', '--list', 'x', '--list', 'y']).values, {
    one: settled.one,
    two: { name: undefined, place: undefined, list: ['x', 'y'] },
  });
  t.same(onLine([]).values.one, { number: 5, 'a-word': 'red', on: true });
  t.equal(onLine([]).origins.size, 0, 'a default was said by nobody');
  t.end();
});

test('what none of them is', (t) => {
  for (const value of ['0', '10', '1.5', '-1', '"5"', 'true', '[5]', '{}', 'inf', 'nan', '2020-01-01', '12:00:00'])
    t.throws(() => ofText('[one]', `number = ${value}`), {
      message: /:2: number .* — write a whole number from 1 to 9$/,
    });
  for (const value of ['"blue"', '"Red"', '""', '5', '["red"]', '{ red = 1 }', '2020-01-01T00:00:00Z'])
    t.throws(() => ofText('[one]', `a-word = ${value}`), { message: /:2: a-word .* — write "red" or "green"$/ });
  for (const value of ['0', '"true"', '[]'])
    t.throws(() => ofText('[one]', `on = ${value}`), { message: /:2: on .* — write true or false$/ });
  for (const value of ['""', '"a b"', '"a\\nb"', '5', '2020-01-01'])
    t.throws(() => ofText('[two]', `name = ${value}`), { message: /:2: name .* — write small letters, in quotes$/ });
  for (const value of ['""', '"a\\u0000b"', `"${'x'.repeat(1_025)}"`, '"~/x"', '5', '{ x = 1 }'])
    t.throws(() => ofText('[two]', `place = ${value}`), { message: /:2: place .* — write a path, ~ written out/ });
  t.match(ofText('[two]', `place = "${'x'.repeat(1_024)}"`).values.two.place, /x$/);
  for (const value of ['"x"', '["x", 5]', '["x", "5"]', '[["x"]]', `[${'"x",'.repeat(65)}]`])
    t.throws(() => ofText('[two]', `list = ${value}`), {
      message: /:2: list .* — write a list of small letters, each/,
    });
  t.equal(ofText('[two]', `list = [${'"x",'.repeat(64)}]`).values.two.list.length, 64);
  for (const typed of ['', '0x5', '5 ', '1e0', '5.0', '٥', '1'.repeat(99)])
    t.throws(() => ofVariables({ X_ONE_NUMBER: typed }), /^X_ONE_NUMBER can't be this — write a whole number/);
  t.throws(() => ofVariables({ X_ONE_ON: 'yes' }), /write true or false$/);
  t.throws(() => onLine(['--number', '10']), /^--number can't be this — write a whole number from 1 to 9$/);
  t.throws(() => onLine(['--place', '']), /^--place can't be this — write a path, ~ written out$/);
  t.throws(() => onLine(['--list', 'x', '--list', '5']), /^--list can't be this — write a list of small letters$/);
  t.end();
});

test('an option goes before the environment, that before the file, that before the default', (t) => {
  const file = parseToml('one.number = 1\n[two]\nname = "f"\nlist = ["f"]', '/x.toml');
  const environment = { prefix: 'X_', others: [], values: { X_ONE_NUMBER: '2', X_TWO_NAME: 'e' } };
  const { values, origins } = onLine(['--number', '3'], { file, environment });
  t.same([values.one.number, values.two.name, values.two.list, values.one['a-word']], [3, 'E', ['f'], 'red']);
  t.same(Object.fromEntries(origins), {
    'one.number': '--number',
    'two.name': 'X_TWO_NAME',
    'two.list': '/x.toml:4',
  });
  t.same(settle(schema, { file, environment }).values.one.number, 2);
  t.throws(() => onLine(['--number', '3'], { file: parseToml('one.number = 0', 'f') }), 'a mistake stays one');
  const told = settledFile(schema, { values, origins });
  t.match(told, 'number = 3  # --number');
  t.match(told, 'name = "e"  # X_TWO_NAME');
  t.match(told, 'a-word = "red"  # default');
  t.notMatch(told, 'place');
  t.match(settledRows(schema, { values, origins }), [
    { table: 'one', key: 'number', value: 3, origin: '--number' },
    { key: 'a-word', origin: 'default' },
    { key: 'on' },
    { key: 'name' },
    { key: 'place', value: null },
    { key: 'list' },
  ]);
  t.same(differences(schema, values, settle(schema, { file }).values), ['one.number', 'two.name']);
  t.end();
});

test('unknown names are told with what was meant, and never as more than one line', (t) => {
  t.throws(() => ofText('', '[tow]'), { message: '/etc/x.toml:2: there is no table or key tow — did you mean "two"?' });
  t.throws(() => ofText('[one]', 'nubmer = 1'), { message: /:2: \[one\] has no nubmer — did you mean "number"\?$/ });
  t.throws(() => ofText('one.colour = 1'), {
    message: /:1: \[one\] has no colour — it may be one of: number, a-word, on$/,
  });
  t.throws(() => ofText('[one.colour]', 'x = 1'), { message: /:1: \[one\] has no colour/ });
  t.throws(() => ofText('[one]', 'number.x = 1'), { message: /:2: number in \[one\] can't be this/ });
  t.throws(
    () => ofVariables({ X_ONE_NUBMER: '1' }),
    /^X_ONE_NUBMER in the environment means nothing — did you mean X_ONE_NUMBER\?$/,
  );
  t.throws(() => ofVariables({ X_PLACE: '1' }), /did you mean X_TWO_PLACE\?$/);
  t.throws(() => ofVariables({ X_: '1' }), /unset it/);
  t.throws(() => ofVariables({ X_COLOUR: '1' }), /means nothing — unset it, or see the manual$/);
  t.throws(() => ofVariables({ X_CONFIGS: '1' }), /means nothing/);
  const hostile = [`"a\\nb\\u001b[2J\\u2028c" = 1`, `[one]\n"a\\rb" = 1`, `"${'x'.repeat(60_000)}" = 1`];
  for (const line of hostile) t.throws(() => ofText(line), { message: /^[^\p{C}\p{Zl}]{20,300}$/u });
  t.throws(() => ofVariables({ [`X_${'Y'.repeat(100_000)}\n`]: '1' }), { message: /^[^\p{C}]{20,300}$/u });
  t.equal(nearest('nmuber', ['number', 'on']), 'number');
  t.equal(nearest('pass', ['password-file', 'port']), 'password-file');
  t.equal(nearest('colour', ['number', 'on']), undefined);
  t.end();
});

test('the line of a mistake', (t) => {
  const at = (line: number, ...lines: readonly string[]): void =>
    void t.throws(
      () => ofText(...lines),
      { message: new RegExp(`^/etc/x\\.toml:${String(line)}: `) },
      lines.join(' | '),
    );
  at(3, '# number = 0', '[one]', '  number  =  0');
  at(5, '[two]', 'list = [', ' "x"]', '[ one ]', 'number = 0');
  at(4, '[one]', 'number = 5', '[two]', 'number = 5');
  at(5, '[one]', 'on = true', '[two]', 'name = "x"', 'number = 5');
  at(2, '', '"one"."number" = 0'.replaceAll('"."', '.'));
  at(2, 'one.on = true', 'one.number = 0');
  at(2, '[one]\r', 'number = 0\r');
  at(3, '[one]', 'number = 5', 'number = 6');
  t.throws(() => ofText('one = { number = 0 }'), { message: /^\/etc\/x\.toml: number in \[one\]/ }, 'not looked for');
  t.end();
});

test('hostile files', (t) => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.throws(() => ofText(`[${name}]`, 'number = 1'), { message: new RegExp(`no table or key ${name}`) });
    t.throws(() => ofText('[one]', `${name} = 1`), { message: new RegExp(`has no ${name}`) });
    t.throws(() => ofText(`one.${name}.number = 1`), { message: new RegExp(`has no ${name}`) });
  }
  t.equal(Reflect.get({}, 'number'), undefined);
  const deep = 20_000;
  for (const bomb of [
    `one = ${'['.repeat(deep)}${']'.repeat(deep)}`,
    `one = ${'{a='.repeat(deep)}1${'}'.repeat(deep)}`,
    `one.number${'.a'.repeat(deep)} = 1`,
    `[one.number${'.a'.repeat(deep)}]`,
    `[one]\nnumber = "${'x'.repeat(60_000)}"`,
  ])
    t.throws(() => ofText(bomb), { name: 'SettingMistake', message: /^[^\n]{10,300}$/ }, bomb.slice(0, 20));
  for (const broken of ['[one', 'one', '= 1', '[one]\n[one]', 'number = "a', '\ufeff\u0000'])
    t.throws(() => ofText(broken), { message: /^\/etc\/x\.toml:\d: this is no TOML \([^\n]+\) — mend that line$/ });
  for (const [value, advice] of [
    ['red', /"…", straight quotes/],
    ['“red”', /"…", straight quotes/],
    ['True', /true or false/],
    ['5s', /without a unit/],
    ['32MB', /without a unit/],
  ] as const)
    t.throws(() => ofText(`[one]\nnumber = ${value}`), { message: advice }, value);
  t.end();
});

test('where a file is looked for, and who may write it', (t) => {
  const folder = t.testdir({ a: 'one.number = 1', b: 'one.number = 2', empty: '' });
  const file = (name: string): string => join(folder, name);
  for (const name of ['a', 'b', 'empty']) chmodSync(file(name), 0o644);
  const at = (argv: readonly string[], usual: readonly string[], values: Readonly<Record<string, string>> = {}) => {
    const command = addConfigOptions(addFlags(new Command('x').exitOverride(), schema), 'none');
    const program = { schema, prefix: 'X_', usualFiles: usual.map(file), isPersonal: true };
    return sourcesOf(command.parse(argv, { from: 'user' }), program, values).file?.path;
  };
  t.equal(at([], ['none', 'b', 'a']), file('b'), 'the first that is there');
  t.equal(at([], ['a/none']), undefined, 'what is below a file is not there');
  t.equal(at([], ['a'], { X_CONFIG: file('b') }), file('b'));
  t.equal(at([], ['a'], { X_CONFIG: '' }), file('a'));
  t.equal(at(['--config', file('empty')], ['a'], { X_CONFIG: file('b') }), file('empty'));
  t.equal(at(['--no-config'], ['a'], { X_CONFIG: file('b') }), undefined);
  t.throws(() => at([], ['a'], { X_CONFIG: file('none') }), /none can't be read \(ENOENT\) — check --config$/);
  chmodSync(file('a'), 0o664);
  t.equal(readTomlFile(file('a')).path, file('a'));
  t.throws(() => at([], ['a']), /can be written by its group — close it with: chmod g-w /);
  chmodSync(file('a'), 0o646);
  for (const isPersonal of [true, false])
    t.throws(() => readTomlFile(file('a'), isPersonal), /can be written by anybody — close it with: chmod o-w /);
  writeFileSync(file('long'), '#'.repeat(64 * 1024 + 1), { mode: 0o600 });
  t.throws(() => readTomlFile(file('long')), /is longer than 64 KiB/);
  writeFileSync(file('most'), '#'.repeat(64 * 1024), { mode: 0o600 });
  t.same(readTomlFile(file('most')).top, {});
  mkdirSync(file('folder'));
  t.throws(() => at([], ['folder', 'b']), /folder is not a file/, 'and not the next one');
  t.throws(() => readTomlFile('/dev/null'), /is not a file/);
  t.end();
});

for (const [program, all] of [
  ['cadenasd', daemonSchema],
  ['cadenas', clientSchema],
] as const)
  test(`all defaults of ${program} as a file are the defaults, and every key is told`, (t) => {
    const file = defaultFile(all, ['above', '']);
    const defaults = settle(all, {});
    const read = settle(all, { file: parseToml(file, 'x.toml') });
    const paths = everySetting(all).flatMap(({ table, key, setting }) => (setting.isPath ? [`${table}.${key}`] : []));
    t.same(
      differences(all, defaults.values, read.values).filter((name) => !paths.includes(name)),
      [],
    );
    for (const { table, key, setting } of everySetting(all)) {
      t.match(file, new RegExp(`^(?:# )?${key} =`, 'm'));
      t.notMatch(setting.what, /\.$|\n/, `${table}.${key}`);
      if (setting.value !== undefined) t.same(setting.read(readBack(setting.write(setting.value))), setting.value);
    }
    for (const line of file.split('\n')) t.ok(line.length <= 120 && line === line.trimEnd(), line);
    const variables = everySetting(all).map(({ table, key }) => variableOf('X_', table, key));
    t.equal(new Set(variables).size, variables.length, 'each variable means one thing');
    t.end();
  });

function readBack(written: string): unknown {
  return parseToml(`x = ${written}`, 'x').top['x'];
}
