/** Emoji by their names, as GitHub has them: `:smile:`. */

/** Without a prototype: no name finds what is not an emoji. */
export type EmojiTable = Readonly<Record<string, string | undefined>>;

/** Loaded when first needed: the table is 400 KB, and the first picture of the program does not wait for it. */
export async function loadEmoji(): Promise<EmojiTable> {
  const { nameToEmoji } = await import('gemoji');
  return Object.assign(Object.create(null) as Record<string, string>, nameToEmoji);
}

/* What stands between backquotes is code and stays; a quote without its partner quotes nothing. */
const codeOrName = /(`+)(?!`)[^]*?(?<!`)\1(?!`)|:([a-z0-9_+-]{1,64}):/g;

/** A text as it is sent: names between colons become emoji, but not in code. */
export function replaceShortcodes(text: string, emoji: EmojiTable): string {
  return text.replace(codeOrName, (whole, _quotes, name?: string) =>
    name === undefined ? whole : (emoji[name] ?? whole),
  );
}
