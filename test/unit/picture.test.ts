/** Pictures of screens: hostile text stays text, and the same screen gives the same bytes. */
import { test } from 'tap';
import { Emulator } from '../support/emulator.js';
import { picture } from '../support/picture.js';

async function drawn(output: string, title = 'title', columns = 20, rows = 3): Promise<string> {
  const emulator = new Emulator(columns, rows, () => undefined);
  await new Promise<void>((resolve) => emulator.write(`\x1b[?25l${output}`, resolve));
  return picture(emulator, { title });
}

/** Names of elements, and what is between them; fails on what is no well-formed XML of ours. */
function parsed(svg: string): { readonly elements: Set<string>; readonly text: string } {
  const elements = new Set<string>();
  const open: string[] = [];
  const rest = svg.replaceAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<>]*")*)(\/?)>/g,
    (_, end: string, name: string, __, alone: string) => {
      elements.add(name);
      if (end !== '' && open.pop() !== name) throw new Error(`</${name}> out of place`);
      if (end === '' && alone === '') open.push(name);
      return '';
    },
  );
  if (/[<>]/.test(rest) || open.length > 0) throw new Error(`no XML: ${rest}`);
  return { elements, text: rest.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))) };
}

test('text of others is never markup', async (t) => {
  const hostile = `</text><script>alert("1")</script>&lt;<a href='x' onload="y">]]><!--`;
  const usual = parsed(await drawn('x')).elements;
  const { elements, text } = parsed(await drawn(hostile, hostile, 120));
  t.same(elements, usual);
  t.equal(
    text.replaceAll(' ', '').split(hostile.replaceAll(' ', '')).length,
    4,
    'in the title, the caption and the screen',
  );
  t.same([...usual].sort(), ['circle', 'g', 'path', 'rect', 'svg', 'text', 'title', 'tspan']);
});

test('nothing that XML has no place for, nothing that turns the order of letters', async (t) => {
  const harmful = '\0\x1b\x7f\x85\u061c\u200e\u200f\u2028\u202e\u2066\u2069\ufffe\uffff\ud800';
  const svg = await drawn(harmful.replace('\x1b', ''), harmful);
  for (const character of harmful) t.notOk(svg.includes(character), character.charCodeAt(0).toString(16));
  t.match(svg, '<title>' + '\ufffd'.repeat(harmful.length));
});

test('the same screen gives the same bytes, however it came to be', async (t) => {
  const once = await drawn('\x1b[1;31mred\x1b[0m and\r\n\x1b[7mturned\x1b[0m');
  t.equal(await drawn('\x1b[1;31mred\x1b[0m and\r\n\x1b[7mturned\x1b[0m'), once);
  t.equal(await drawn('nothing\x1b[2J\x1b[2;1H\x1b[7mturned\x1b[0m\x1b[H\x1b[1;31mre\x1b[1;31md\x1b[0m and'), once);
  t.not(await drawn('\x1b[1;32mred\x1b[0m and\r\n\x1b[7mturned\x1b[0m'), once);
});

test('words begin at their columns, and wide characters take two', async (t) => {
  const svg = await drawn('ab  cd─│日é🐴x');
  const places = [...svg.matchAll(/<tspan x="(\d+)" textLength="(\d+)"[^>]*>([^<]*)</g)];
  t.same(
    places.map(([, x, length, text]) => [text, Number(x) / 9, Number(length) / 9]),
    [
      ['ab', 0, 2],
      ['cd', 4, 2],
      ['─│', 6, 2],
      ['日', 8, 2],
      ['é', 10, 1],
      ['🐴', 11, 2],
      ['x', 13, 1],
    ],
  );
});

test('colours and styles', async (t) => {
  const cases: Record<string, RegExp> = {
    '\x1b[31mx': /<text y="14" fill="#e06c75"><tspan [^>]*>x</,
    '\x1b[38;5;9mx': /<text y="14" fill="#ff7b86">/,
    '\x1b[38;5;16mx': /<text y="14" fill="#000000">/,
    '\x1b[38;5;208mx': /<text y="14" fill="#ff8700">/,
    '\x1b[38;5;255mx': /<text y="14" fill="#eeeeee">/,
    '\x1b[38;2;1;2;3mx': /<text y="14" fill="#010203">/,
    '\x1b[1;2;3mx': /<text y="14" font-weight="bold" font-style="italic" fill-opacity="0\.6">/,
    '\x1b[44mxy': /<rect x="0" y="0" width="18" height="17" fill="#61afef"\/>/,
    '\x1b[7;31mx': /fill="#e06c75"\/>\n<text y="14" fill="#16191f">/,
    '\x1b[4mx y': /<rect x="0" y="16" width="27" height="1" fill="#d7dae0"\/>/,
    '\x1b[9mx': /<rect x="0" y="9" width="9" height="1" fill="#d7dae0"\/>/,
    'ab\x1b[?25h\x1b[H':
      /<rect x="0" y="0" width="9" height="17" fill="#e6e9ef"\/>\n<text y="14" fill="#16191f"><tspan [^>]*>a</,
    '日\x1b[?25h\x1b[1;2H': /<rect x="0" y="0" width="18" height="17" fill="#e6e9ef"\/>/,
    '01234567890123456789\x1b[?25h': /<rect x="171" y="0" width="9" height="17" fill="#e6e9ef"\/>/,
  };
  for (const [output, expected] of Object.entries(cases))
    t.match(await drawn(output), expected, JSON.stringify(output));
  t.notMatch(await drawn('\x1b[8mhidden'), 'hidden');
  t.notMatch(await drawn('x'), '#e6e9ef', 'no cursor where it is hidden');
});
