/** What somebody meant who typed something else. */

/** Letters that may be wrong, missing or too many. */
const FAR = 2;

/** The word that is nearest to what was typed; undefined where none is near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((word) => ({ word, far: distance(typed.toLowerCase(), word) }))
    .filter(({ word, far }) => far <= FAR || (typed.length > 2 && (word.startsWith(typed) || typed.startsWith(word))))
    .sort((a, b) => a.far - b.far);
  return best?.word;
}

/** Levenshtein's: how many letters are to be changed, put in or left out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row[b.length] ?? 0;
}
