import { start } from './start.ts';

// `node --import retryscope/register app.js`: the app begins once everything is in place, its policy file read included.
await start();
