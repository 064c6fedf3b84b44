import { start } from './start.ts';

// `node --require retryscope/register app.js`: modules are hooked when this returns. The policy file and an SDK follow a
// few milliseconds later, since CommonJS cannot wait.
void start();
