import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import axios from 'axios';
import { DatabaseError } from 'pg';
import { headerOf, SECRET_SHAPES, type SecretShape } from './secret-shapes.ts';

/** A failure of everyday life, whose error says, or carries, more than it should. */
export interface EverydayFailure {
  readonly name: string;
  /** The label that stands for it. */
  readonly type: string;
  /** Whether the error holds the secret, somewhere: else it could not leak. */
  readonly holds: boolean;
  make(shape: SecretShape): Promise<unknown>;
}

/** The failures, with errors that the clients themselves have made. The server is to be there. */
export const EVERYDAY_FAILURES: readonly EverydayFailure[] = [
  {
    name: 'fetch with credentials in the URL',
    type: 'TypeError',
    holds: true,
    make: ({ secret, text }) => failureOf(() => fetch(urlWith('https://api.example.com/v1', secret, text))),
  },
  {
    name: 'fetch with an invalid URL',
    type: 'ERR_INVALID_URL',
    holds: true,
    make: ({ text }) => failureOf(() => fetch(`http://[${text}`)),
  },
  {
    name: 'new URL, invalid',
    type: 'ERR_INVALID_URL',
    holds: true,
    make: ({ text }) => failureOf(async () => new URL(`http://[${text}`)),
  },
  {
    name: 'axios, 503, with a header',
    type: '503',
    holds: true,
    make: shape =>
      failureOf(() =>
        axios.get(urlWith(origin, shape.secret, shape.text), { headers: headersOf(shape), proxy: false }),
      ),
  },
  {
    name: 'axios, refused, with credentials and a body',
    type: 'ECONNREFUSED',
    holds: true,
    make: ({ secret, text }) => {
      const auth = { username: 'svc', password: secret };
      return failureOf(() => axios.post('http://127.0.0.1:1/', { password: secret, text }, { auth, proxy: false }));
    },
  },
  { name: 'got, 503', type: '503', holds: true, make: async shape => gotErrors.get(shape.name) },
  {
    name: 'pg, unique violation',
    type: '23505',
    holds: true,
    make: async ({ text }) =>
      databaseError('23505', 'duplicate key value violates unique constraint "users_token_key"', {
        detail: `Key (token)=(${text}) already exists.`,
      }),
  },
  {
    name: 'pg, unknown user',
    type: '28P01',
    holds: false,
    make: async () => databaseError('28P01', 'password authentication failed for user "svc"', {}),
  },
  {
    name: 'JSON.parse',
    type: 'SyntaxError',
    holds: false,
    make: ({ secret, text }) => failureOf(async () => JSON.parse(`{"note":${JSON.stringify(text)},"id": ${secret}}`)),
  },
];

/** Starts the server that answers with 503, and has got fail once for each shape, in a process that can load it. */
export async function startFailures(): Promise<void> {
  server = createServer((request, response) => {
    const shape = SECRET_SHAPES.find(({ name }) => name === request.headers['x-shape']) ?? SECRET_SHAPES[0];
    const said = shape?.text.replaceAll('\n', ' ') ?? '';
    response.writeHead(503, { 'set-cookie': said, 'x-said': said }).end(said);
  });
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const requests = SECRET_SHAPES.map(shape => ({
    url: urlWith(origin, shape.secret, shape.text),
    headers: headersOf(shape),
  }));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', GOT_FAILS, JSON.stringify(requests)],
    { cwd: join(__dirname, '../../..') },
  );
  for (const [i, fields] of (JSON.parse(stdout) as object[]).entries()) {
    gotErrors.set(SECRET_SHAPES[i]?.name ?? '', Object.assign(new Error('of got'), fields));
  }
}

/** Ends the server. */
export async function endFailures(): Promise<void> {
  await new Promise(resolve => server?.close(resolve));
}

let server: Server | undefined;
let origin = '';
const gotErrors = new Map<string, Error>();

/** jest cannot load got. */
const GOT_FAILS = `
  import got from 'got';
  const fail = ({ url, headers }) => got(url, { headers, retry: { limit: 0 } }).then(
    () => process.exit(1),
    ({ name, message, code, stack, options, response }) => ({
      name, message, code, stack,
      options: { url: String(options.url), headers: options.headers, password: options.password },
      response: { statusCode: response.statusCode, url: response.url, headers: response.headers, body: response.body },
    }),
  );
  console.log(JSON.stringify(await Promise.all(JSON.parse(process.argv[1]).map(fail))));
`;

function urlWith(base: string, secret: string, text: string): string {
  const [scheme, rest] = base.split('//') as [string, string];
  return `${scheme}//svc:${encodeURIComponent(secret)}@${rest}/?note=${encodeURIComponent(text)}`;
}

function headersOf(shape: SecretShape): Record<string, string> {
  const [name, value] = headerOf(shape);
  return { [name]: value, 'x-shape': shape.name };
}

function databaseError(code: string, message: string, more: object): Error {
  return Object.assign(new DatabaseError(message, message.length, 'error'), { severity: 'ERROR', code, ...more });
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}
