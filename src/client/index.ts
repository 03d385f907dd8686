/** The door of the client core. */
export { asClientError, begunOtherwise, ClientError, error, Exit, type Trouble } from './errors.js';
export { checkPassphrase, readAccountFile } from './account-file.js';
export { checkSecrets, type PublicIdentity, type Secrets } from './identity.js';
export { clearProfile } from './leftovers.js';
export { checkApplication, type Application } from './login.js';
export { ClientCore } from './core.js';
export { checkEmpty, exportAccount, importAccount, type AccountExport } from './moving.js';
export {
  checkRecoveryCode,
  identityOf,
  isDeleting,
  openCore,
  recoverCore,
  registerCore,
  unfinishedOf,
} from './profile.js';
export type {
  AccountView,
  Client,
  ClientEvent,
  CommandName,
  Commands,
  ContactView,
  MemberView,
  RelationView,
  RoomSetView,
  RoomStanding,
  RoomView,
  SafetyView,
  StatusView,
} from './client.js';
export type { Item, Line, Row } from './rows.js';
export type { Notice, NoticeKind, OutgoingState, Relation, RoomNoticeKind } from './state.js';
export type { ClientCrypto, ClientPorts, ClientStorage, Clock } from './ports.js';
export { unlock } from './unsettled.js';
export { drawWords } from './words.js';
export type { Endpoint } from '../transport/transport.js';
