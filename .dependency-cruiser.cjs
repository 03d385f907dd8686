/**
 * The arrows between the rooms, and only these (ARCHITECTURE.md). Each room names what it may import
 * besides itself; whatever is not named is refused. Types count like values.
 */
const PROTOCOL = '^protocol/index\\.ts$';
const CRYPTO = '^src/crypto/index\\.ts$';
const TRANSPORT = '^src/transport/';
const CONNECTION = '^src/transport/transport\\.ts$';
const STORE = '^src/store/store\\.ts$';
const CLIENT = '^src/client/';
const CLIENT_NODE = '^src/client-node/';
const PLAIN = '^src/plain/';
const SETTINGS = '^src/settings/index\\.ts$';
const COMPLETION = '^src/completion/index\\.ts$';
const OPS = '^src/ops/';
const LOCAL = '^src/local/';
const KEYS = '^src/keys/';
const WORDING = '^src/faces/wording/';
const TUI = '^src/faces/tui/(main|ports)\\.ts$';
const faceRoots = (face) => `^src/faces/${face}/(main|compose)\\.ts$`;

/** The rooms: own folder, and rooms that it may import. `node` and `packages`: whether it may use Node's and others' modules. */
const rooms = {
  protocol: { own: '^protocol/', may: [], node: false, packages: [] },
  crypto: {
    own: '^src/crypto/',
    may: [PROTOCOL],
    node: true,
    packages: ['@noble/post-quantum', '@serenity-kit/opaque', 'hash-wasm'],
  },
  transport: { own: TRANSPORT, may: [PROTOCOL], node: true, packages: [] },
  wire: { own: '^src/wire/', may: [PROTOCOL], node: true, packages: ['binary-parser'] },
  store: { own: '^src/store/', may: [PROTOCOL], node: true, packages: [] },
  plain: { own: PLAIN, may: [], node: false, packages: ['get-east-asian-width'] },
  settings: { own: '^src/settings/', may: [], node: true, packages: ['commander', 'smol-toml'] },
  completion: { own: '^src/completion/', may: [], node: false, packages: ['commander'] },
  local: { own: LOCAL, may: [], node: true, packages: [] },
  ops: { own: OPS, may: [PLAIN, LOCAL], node: true, packages: ['nodemailer', 'pino', 'prom-client'] },
  keys: {
    own: KEYS,
    may: [PROTOCOL, CRYPTO, PLAIN, COMPLETION],
    node: true,
    packages: ['commander', 'esbuild', 'node-forge'],
  },
  client: { own: CLIENT, may: [PROTOCOL, CONNECTION], node: false, packages: [] },
  'client-node': { own: CLIENT_NODE, may: [PROTOCOL, CLIENT, LOCAL], node: true, packages: [] },
  server: {
    own: '^src/server/',
    roots: '^src/server/(daemon|worker|(admin|start)/[a-z]+)\\.ts$',
    may: [PROTOCOL, '^src/wire/', STORE, CONNECTION, PLAIN, SETTINGS, COMPLETION],
    node: true,
    packages: ['commander', 'piscina', 'rate-limiter-flexible', 'otplib'],
  },
  wording: { own: WORDING, may: [PROTOCOL, CLIENT, PLAIN], node: false, packages: ['uqr'] },
  cli: {
    own: '^src/faces/cli/',
    roots: '^src/faces/cli/(main|compose|chat)\\.ts$',
    may: [PROTOCOL, CLIENT, PLAIN, WORDING, SETTINGS, COMPLETION],
    node: true,
    packages: ['commander'],
  },
  /* The command line composes it: it gets what it needs of the machine as ports. */
  tui: {
    own: '^src/faces/tui/',
    may: [PROTOCOL, CLIENT, PLAIN, WORDING],
    node: true,
    packages: ['blessed', 'gemoji'],
  },
  web: { own: '^src/faces/web/', roots: faceRoots('web'), may: [PROTOCOL, CLIENT, PLAIN], node: false, packages: [] },
};

/** What composition roots alone may name, besides what their room may. */
const concrete = {
  server: [CRYPTO, '^src/store/(journal|tools)/', TRANSPORT, OPS, LOCAL, KEYS],
  cli: [CRYPTO, TRANSPORT, CLIENT_NODE, OPS, KEYS, TUI],
  web: [CRYPTO, TRANSPORT],
};

const packagePath = (name) => `^node_modules/(@types/)?${name}/`;
const own = '^(src|protocol)/';

function roomRules([name, { own: folder, roots, may, node, packages }]) {
  const outside = (from, allowed) => ({
    severity: 'error',
    from,
    to: { path: '^(src|protocol|test|scripts)/', pathNot: [folder, ...allowed] },
  });
  return [
    {
      name: `${name}-arrows`,
      comment: `${name} imports a room that it may not`,
      ...outside({ path: folder, ...(roots ? { pathNot: roots } : {}) }, may),
    },
    ...(roots
      ? [
          {
            name: `${name}-root-arrows`,
            comment: `a composition root of ${name} imports a room that it may not`,
            ...outside({ path: roots }, [...may, ...concrete[name]]),
          },
        ]
      : []),
    ...(node
      ? []
      : [
          {
            name: `${name}-without-node`,
            comment: `${name} is portable: no module of Node`,
            severity: 'error',
            from: { path: folder },
            to: { dependencyTypes: ['core'] },
          },
        ]),
    {
      name: `${name}-packages`,
      comment: `${name} uses a package that is not its own`,
      severity: 'error',
      from: { path: folder },
      to: { path: 'node_modules/', pathNot: ['^node_modules/@types/node/', ...packages.map(packagePath)] },
    },
  ];
}

module.exports = {
  forbidden: [
    ...Object.entries(rooms).flatMap(roomRules),
    {
      name: 'no-cycles',
      comment: 'of types neither',
      severity: 'error',
      from: { path: own },
      to: { circular: true },
    },
    { name: 'resolves', comment: 'nothing there', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'blessed-behind-one-door',
      comment: "blessed is known to the terminal face's canvas alone",
      severity: 'error',
      from: { path: own, pathNot: '^src/faces/tui/terminal/canvas\\.ts$' },
      to: { path: packagePath('blessed') },
    },
    {
      name: 'every-room-has-rules',
      comment: 'a new room: write down what it may import',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.values(rooms).map((room) => room.own) },
      to: {},
    },
    {
      name: 'one-door',
      comment: 'protocol is imported by protocol/index.ts alone',
      severity: 'error',
      from: { pathNot: '^protocol/' },
      to: { path: '^protocol/', pathNot: PROTOCOL },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { path: own },
      to: { path: '^test/' },
    },
    {
      name: 'no-dev-dependency',
      comment: 'what runs in use is no devDependency',
      severity: 'error',
      from: { path: own },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '^node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
