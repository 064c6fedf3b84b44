import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure } from '../measure.ts';
import { report } from '../section.ts';

const folder = mkdtempSync(join(tmpdir(), 'register-bench-'));
const file = join(folder, 'retryscope.config.json');
writeFileSync(
  file,
  JSON.stringify({
    policies: { stock: { maxAttempts: 3, initialDelay: 100 } },
    services: [{ kind: 'http', host: '127.0.0.1', methods: ['GET'], policy: 'stock' }],
  }),
);
const REGISTER = ['--import', 'retryscope/register'];
const apps = {
  'the app': await start([]),
  'with register': await start(REGISTER),
  'with register, fetch retried by a policy file': await start(REGISTER, { RETRYSCOPE_CONFIG: file }),
};

const results = await measure(
  Object.keys(apps).map(name => ({ name, run: () => round(apps[name as keyof typeof apps]) })),
  15,
  async ({ run }) => (await run()) as number,
);
for (const app of Object.values(apps)) app.kill();
rmSync(folder, { recursive: true });

report({
  title: 'An app that never fails: 400 calls by fetch in p-retry, as it is and under register, no SDK (processor time)',
  unit: 'ms',
  results,
  gates: [{ contender: 'with register', limit: 1.1 }],
});

async function start(execArgv: string[], env: Readonly<Record<string, string>> = {}): Promise<ChildProcess> {
  const app = fork(join(import.meta.dirname, '../register-app.ts'), { execArgv, env: { ...process.env, ...env } });
  await once(app, 'message');
  return app;
}

async function round(app: ChildProcess): Promise<number> {
  const answered = once(app, 'message');
  app.send('round');
  const [milliseconds] = await answered;
  return milliseconds;
}
