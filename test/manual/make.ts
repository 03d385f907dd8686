/** `npm run manual`: writes what is made of what the programs know. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../support/temp.js';
import { made } from './made.js';

for (const [path, text] of made()) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
