// Around npm pack: `before` makes what goes into the package what the sources are, `after` removes what only it needs.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, ensureInstalled, fail, lock, PROGRAMS, root } from './lib.mjs';

/** npm puts it into the package, and installs exactly what it names, hashes checked: an equal client everywhere. */
const shrinkwrap = join(root, 'npm-shrinkwrap.json');

const steps = {
  async before() {
    await ensureInstalled();
    await compile(...PROGRAMS);
    removeStale();
    writeFileSync(shrinkwrap, withoutDevelopment(JSON.parse(readFileSync(lock, 'utf8'))));
  },
  after() {
    rmSync(shrinkwrap, { force: true });
  },
};

/** The compiler leaves what it made of a source that is gone. */
function removeStale() {
  for (const folder of ['src', 'protocol'])
    for (const file of readdirSync(join(root, 'dist', folder), { recursive: true })) {
      const source = join(root, folder, file.replace(/(\.js|\.js\.map|\.d\.ts)$/, '.ts'));
      if (source.endsWith('.ts') && !existsSync(source)) rmSync(join(root, 'dist', folder, file));
    }
}

/** The lock without what only development needs. */
function withoutDevelopment({ packages, ...rest }) {
  const [[name, own], ...others] = Object.entries(packages);
  const kept = others.filter(([, { dev }]) => dev !== true);
  const inUse = Object.fromEntries([[name, { ...own, devDependencies: undefined }], ...kept]);
  return `${JSON.stringify({ ...rest, packages: inUse }, undefined, 2)}\n`;
}

const step = steps[process.argv[2]];
if (!step) fail(`usage: node scripts/pack.mjs ${Object.keys(steps).join('|')}`);
await step();
