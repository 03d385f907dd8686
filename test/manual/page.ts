import { join } from 'node:path';
import { root } from '../support/temp.js';

/** Where the manual's page of the terminal interface stands. */
export const pageFile = join(root, 'docs/man/cadenas-chat.1');
