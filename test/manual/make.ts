/** `npm run manual`: writes what is made of the table of commands. */
import { writeFileSync } from 'node:fs';
import { manualPage } from '../../src/faces/tui/commands/manual.js';
import { pageFile } from './page.js';

writeFileSync(pageFile, manualPage());
