import { NAME_MAX, NAME_MIN } from './limits.js';

const pattern = new RegExp(`^[a-z][a-z0-9_]{${NAME_MIN - 1},${NAME_MAX - 1}}$`);

/** A name as it stands on the wire: already lower case (SPEC 3.6). */
export function isName(text: string): boolean {
  return pattern.test(text);
}

/** What a person typed as a name on the wire, or undefined: a leading @ and ASCII capitals are forgiven, nothing else. */
export function toName(typed: string): string | undefined {
  const bare = typed.startsWith('@') ? typed.slice(1) : typed;
  if (!/^[A-Za-z0-9_]*$/.test(bare)) return undefined;
  const name = bare.toLowerCase();
  return isName(name) ? name : undefined;
}
