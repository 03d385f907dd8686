/** What somebody may tell of themselves at the registration (SPEC 6.2). */
import { test } from 'tap';
import { readEmail, readFullName, utf8 } from '../../protocol/index.js';

test('a full name is any text without control characters, as long as it may be', (t) => {
  for (const good of ['', 'Ada Lovelace', 'Zoë Ångström', '李小龍', 'x'.repeat(96), 'ö'.repeat(48)])
    t.equal(readFullName(utf8(good)), good);
  const bad = ['x'.repeat(97), 'ö'.repeat(49), 'a\nb', 'a\u0000', 'a\u007f', 'a\u0085', 'a\u2028b', '\u001b[2J'];
  for (const each of bad) t.equal(readFullName(utf8(each)), undefined, encodeURI(each));
  t.equal(readFullName(Uint8Array.of(0xff, 0xfe)), undefined, 'not UTF-8');
  t.end();
});

test('an address is one, and nothing that a mail server could take for more', (t) => {
  const longest = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}.eu`;
  t.equal(longest.length, 254);
  const good = ['', 'a@b.cd', 'ada.lovelace+list@mail.example.org', "o'hara@x-y.example", '1@2.e3', longest];
  for (const each of good) t.equal(readEmail(utf8(each)), each);
  const bad = [
    ...['a', 'ab.cd', '@', 'a@', '@b.cd', 'a@b', 'a@b@c.de', 'a@@b.cd', 'a b@c.de', 'a@b.cd ', ' a@b.cd'],
    ...[
      'a@b.cd\r\nBcc: x@y.zz',
      'a@b.cd\n',
      '"a"@b.cd',
      'a,b@c.de',
      'a@b.cd,x@y.zz',
      'a;b@c.de',
      '<a@b.cd>',
      'a:b@c.de',
    ],
    ...['.a@b.cd', 'a.@b.cd', 'a..b@c.de', 'a@.b.cd', 'a@b..cd', 'a@b.cd.', 'a@-b.cd', 'a@b-.cd', 'a@[127.0.0.1]'],
    ...['a@127.0.0.1', 'ö@b.cd', 'a@ö.cd', 'a\u0000@b.cd', 'a\\@b.cd', 'a(b)@c.de'],
    ...[`${'a'.repeat(65)}@b.cd`, `a@${'b'.repeat(64)}.cd`, `${longest.slice(0, -2)}eur`],
  ];
  for (const each of bad) t.equal(readEmail(utf8(each)), undefined, JSON.stringify(each));
  t.equal(readEmail(Uint8Array.of(0xff)), undefined, 'not UTF-8');
  t.end();
});
