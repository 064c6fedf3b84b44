import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../redis/support/until.ts';
import { freePort } from '../support/free-port.ts';

/**
 * An nginx of our own as an upstream in trouble:
 *
 * - `/ok` answers 200
 * - `/down` answers 503 with `Retry-After: 1`
 * - `/switch` answers 503 with `Retry-After: 1` while the switch is off, else 200
 * - `/coin` answers 503 to three in ten requests, by chance
 * - `/limited` answers 429 to whatever comes faster than 20 requests per second
 * - `/drop` closes the connection without an answer
 * - `/moved` redirects to `/down`
 */
export interface OwnNginx {
  readonly origin: string;
  /** Makes `/switch` fail, or heals it; holds from the next request on. */
  turn(position: 'on' | 'off'): void;
  /** The requests so far with a header `x-test` of this value, as `GET /down 503`. Written once a request is over. */
  requests(test: string): string[];
  end(): Promise<void>;
}

/** Whether nginx is here. */
export const hasNginx = (): boolean => isThere;

const isThere = canRun();

function canRun(): boolean {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Starts it on a free port of this machine, in a folder of its own. */
export async function startNginx(): Promise<OwnNginx> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-test-'));
  for (const name of ['logs', 'temp']) mkdirSync(join(folder, name));
  const log = join(folder, 'access.log');
  const requests = (test: string): string[] => {
    const lines = readFileSync(log, 'utf8').split('\n');
    return lines.filter(line => line.startsWith(`${test} `)).map(line => line.slice(test.length + 1));
  };
  let child: ChildProcess | undefined;
  let origin = '';
  const end = async (): Promise<void> => {
    const running = child;
    if (running !== undefined && !hasEnded(running)) {
      const ended = new Promise<void>(resolve => running.once('exit', () => resolve()));
      running.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(async () => {
      // It ends by itself where somebody else was faster to take its port.
      if (child === undefined || hasEnded(child)) {
        const port = await freePort();
        origin = `http://127.0.0.1:${port}`;
        writeFileSync(join(folder, 'nginx.conf'), configuration(port, folder));
        child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: 'ignore' });
      }
      await fetch(`${origin}/ok`, { headers: { 'x-test': 'start' }, signal: AbortSignal.timeout(5000) });
      return requests('start').includes('GET /ok 200');
    });
  } catch (error) {
    await end();
    throw error;
  }
  return {
    origin,
    turn: position => {
      const off = join(folder, 'off');
      if (position === 'off') writeFileSync(off, '');
      else rmSync(off, { force: true });
    },
    requests,
    end,
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** One process in the foreground: it ends with the test, and reads and writes in its folder as whoever runs the test. */
function configuration(port: number, folder: string): string {
  return `
daemon off;
master_process off;
pid nginx.pid;
error_log logs/error.log;
events { worker_connections 1024; }
http {
  log_format short '$http_x_test $request_method $uri $status';
  access_log access.log short;
  client_body_temp_path temp;
  proxy_temp_path temp;
  fastcgi_temp_path temp;
  uwsgi_temp_path temp;
  scgi_temp_path temp;
  split_clients "$request_id" $coin { 30% 503; * 200; }
  limit_req_zone $binary_remote_addr zone=slow:64k rate=20r/s;
  server {
    listen 127.0.0.1:${port};
    default_type text/plain;
    location = /ok { return 200 "fine"; }
    location = /down { add_header Retry-After 1 always; return 503 "down"; }
    location = /switch {
      add_header Retry-After 1 always;
      if (-f ${folder}/off) { return 503 "down"; }
      return 200 "fine";
    }
    location = /coin {
      if ($coin = 503) { return 503 "tails"; }
      return 200 "heads";
    }
    location = /limited {
      limit_req zone=slow;
      limit_req_status 429;
      try_files /nothing @fine;
    }
    location @fine { return 200 "fine"; }
    location = /drop { return 444; }
    location = /moved { return 302 /down; }
  }
}
`;
}
