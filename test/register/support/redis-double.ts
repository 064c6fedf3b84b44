import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Speaks just enough of Redis for a client to connect, and answers as it is told. */
export interface RedisDouble {
  readonly port: number;
  /** The commands that came, without those of connecting. */
  readonly commands: readonly string[];
  /** What follows the next commands in place of an answer: an error reply, or the end of the connection. */
  readonly next: (string | 'hang_up')[];
  end(): Promise<void>;
}

export async function startRedisDouble(): Promise<RedisDouble> {
  const commands: string[] = [];
  const next: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    let rest = '';
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      rest += chunk;
      for (let found = take(rest); found !== undefined; found = take(rest)) {
        rest = found.rest;
        answer(socket, found.words);
      }
    });
  });
  const answer = (socket: Socket, words: readonly string[]): void => {
    const name = String(words[0]).toLowerCase();
    if (name === 'hello') return void socket.write(words[1] === '2' ? '*0\r\n' : "-ERR unknown command 'hello'\r\n");
    if (name === 'info') return void socket.write('$9\r\nloading:0\r\n');
    if (name === 'client') return void socket.write('+OK\r\n');
    commands.push(words.join(' '));
    const instead = next.shift();
    if (instead === 'hang_up') return void socket.destroy();
    socket.write(instead === undefined ? '$5\r\nvalue\r\n' : `-${instead}\r\n`);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    next,
    end: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The first whole command of a text, as clients send it: a list of strings, each with its length. */
function take(text: string): { readonly words: string[]; readonly rest: string } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let i = 0; i < Number(head[1]); i++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (length === null) return undefined;
    const start = at + length[0].length;
    at = start + Number(length[1]) + 2;
    if (text.length < at) return undefined;
    words.push(text.slice(start, at - 2));
  }
  return { words, rest: text.slice(at) };
}
