export { nodeSync } from './sync.js';
export { exportPrivate, generateRsa, nodeAsymmetric, rsaPrivate, type NodeRsaPrivate } from './asymmetric.js';
export { createOpaqueSetup, passwordClient, passwordServer } from './password.js';
