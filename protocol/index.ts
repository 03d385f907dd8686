/** The only door of this room. */
export * from './limits.js';
export * from './bytes.js';
export * from './status.js';
export * from './names.js';
export * from './opcodes.js';
export * from './field.js';
export * from './layouts.js';
export * from './codec.js';
export * from './epoch.js';
export * from './frame.js';
export * from './handshake.js';
export * from './account.js';
export * from './request.js';
export * from './envelope.js';
export * from './crypto-port.js';
export * from './labels.js';
export * from './linked.js';
