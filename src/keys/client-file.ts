/** A client as one file: what is in its head, and how it comes from the compiled modules. */
import { closeSync, openSync, readSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';
import type { LinkedNetwork } from '../../protocol/index.js';
import { packageRoot } from './program.js';

const MARK = '// Cadenas client of network ';
/** Interpreter line and mark are shorter, in bytes. */
const HEAD_MAX = 256;

/** Of which network the file is a client; undefined where it is none. */
export function networkOfClient(path: string): string | undefined {
  const head = Buffer.alloc(HEAD_MAX);
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, head, 0, HEAD_MAX, 0);
    const [, marked = '', rest] = head.toString('utf8', 0, length).split('\n', 3);
    return rest !== undefined && marked.startsWith(MARK) ? marked.slice(MARK.length) : undefined;
  } finally {
    closeSync(file);
  }
}

/**
 * Of blessed a client uses the screen. One function of its table of widths, which the terminal face replaces, would bring
 * all widgets along, and with them packages that are not there.
 */
const withoutWidgets: Plugin = {
  name: 'without-widgets',
  setup(built) {
    built.onResolve({ filter: /^\.\.\/$/ }, ({ importer }) =>
      importer.endsWith('/blessed/lib/unicode.js') ? { path: 'widgets', namespace: 'nothing' } : undefined,
    );
    built.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** @param entry absolute path of a module that exports `main(linked, argv): Promise<exit code>` */
export async function clientFile(linked: LinkedNetwork, entry: string): Promise<Uint8Array> {
  const result = await build({
    stdin: {
      contents: [
        `import { main } from ${JSON.stringify(entry)};`,
        `process.exitCode = await main(${JSON.stringify(linked)}, process.argv.slice(2));`,
      ].join('\n'),
      resolveDir: packageRoot,
      sourcefile: 'linked-client.js',
    },
    // Paths relative to the package, so that the same tree gives the same bytes wherever it lies …
    absWorkingDir: packageRoot,
    // … and no look at a tsconfig.json that lies in a folder above it.
    tsconfigRaw: {},
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'inline',
    plugins: [withoutWidgets],
    write: false,
    logLevel: 'silent',
    banner: {
      // CommonJS packages call require for Node's own modules; an ES module has none.
      js: [
        '#!/usr/bin/env node',
        MARK + linked.network,
        `import { createRequire as cadenasRequire } from 'node:module';`,
        'const require = cadenasRequire(import.meta.url);',
      ].join('\n'),
    },
  });
  const file = result.outputFiles[0];
  if (!file) throw new Error('esbuild gave no file');
  return file.contents;
}
