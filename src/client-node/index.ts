/** The door of this room: what a face on Node composes a client from. */
export { checkFree, readNamed, writeNew } from './export-file.js';
export { FileStorage } from './file-storage.js';
export { configFolder, defaultHome, folderExists, prepareFolder, profileFolder, removeFolder } from './home.js';
export { ProfileServer } from './profile-server.js';
export { RemoteClient } from './remote-client.js';
