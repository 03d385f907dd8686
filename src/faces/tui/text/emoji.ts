/** Emoji by their names, as GitHub has them: `:smile:`. */

/** Without a prototype: no name finds what is not an emoji. */
export type EmojiTable = Readonly<Record<string, string | undefined>>;

/** Loaded when first needed: the table is 400 KB, and the first picture of the program does not wait for it. */
export async function loadEmoji(): Promise<EmojiTable> {
  const { nameToEmoji } = await import('gemoji');
  return Object.assign(Object.create(null) as Record<string, string>, nameToEmoji);
}

/* One or more in a row, and not within a word or a time: an address like fe80:a:b stays one. */
const names = /(?<![\p{L}\p{N}_:])(?::[a-z0-9_+-]{1,64}:)+(?![\p{L}\p{N}_:])/gu;

/** A text as it is sent: names between colons become emoji, but not in code. */
export function replaceShortcodes(text: string, emoji: EmojiTable): string {
  const replaced = (part: string): string =>
    part.replace(names, (row) => row.replace(/:([^:]+):/g, (whole, name: string) => emoji[name] ?? whole));
  let out = '';
  let at = 0;
  for (const { from, to } of codeSpans(text)) {
    out += replaced(text.slice(at, from)) + text.slice(from, to);
    at = to;
  }
  return out + replaced(text.slice(at));
}

/** What stands between backquotes, as many of them behind it as before it. A quote without its partner quotes nothing. */
function codeSpans(text: string): { readonly from: number; readonly to: number }[] {
  const quotes = [...text.matchAll(/`+/g)].map(({ 0: { length }, index }) => ({ length, index }));
  /* From behind, so that each finds its partner at once however many there are. */
  const nextOfLength = new Map<number, number>();
  const partners = new Map<number, number>();
  for (const [at, { length }] of [...quotes.entries()].reverse()) {
    const partner = nextOfLength.get(length);
    if (partner !== undefined) partners.set(at, partner);
    nextOfLength.set(length, at);
  }
  const spans: { from: number; to: number }[] = [];
  for (let at = 0; at < quotes.length; at++) {
    const partner = partners.get(at);
    const [open, close] = [quotes[at], partner === undefined ? undefined : quotes[partner]];
    if (partner === undefined || !open || !close) continue;
    spans.push({ from: open.index, to: close.index + close.length });
    at = partner;
  }
  return spans;
}
