/** The door of this room: what a face on Node composes a client from. */
export { FileStorage } from './file-storage.js';
export { defaultHome, folderExists, prepareFolder, profileFolder } from './home.js';
export { ProfileServer } from './profile-server.js';
export { RemoteClient } from './remote-client.js';
