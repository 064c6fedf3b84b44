import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Speaks just enough of PostgreSQL for a client to send statements without parameters, and answers as it is told. */
export interface PostgresDouble {
  readonly port: number;
  /** The statements that came. */
  readonly statements: readonly string[];
  /** What follows the next statements in place of a row: an error of this SQLSTATE, or the end of the connection. */
  readonly next: (string | 'hang_up')[];
  end(): Promise<void>;
}

export async function startPostgresDouble(): Promise<PostgresDouble> {
  const statements: string[] = [];
  const next: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    let isStarted = false;
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', chunk => {
      if (!isStarted) {
        isStarted = true;
        socket.write(Buffer.concat([message('R', int32(0)), READY]));
      } else if (String.fromCharCode(chunk[0] ?? 0) === 'Q') {
        statements.push(chunk.toString('utf8', 5, chunk.length - 1));
        answer(socket, next.shift());
      } else if (String.fromCharCode(chunk[0] ?? 0) === 'X') socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    statements,
    next,
    end: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(socket: Socket, instead: string | undefined): void {
  if (instead === 'hang_up') {
    socket.destroy();
  } else if (instead !== undefined) {
    const fields = `SERROR\0C${instead}\0Mrefused\0\0`;
    socket.write(Buffer.concat([message('E', Buffer.from(fields)), READY]));
  } else {
    const column = Buffer.concat([
      Buffer.from('n\0'),
      Buffer.alloc(6),
      int32(25),
      Buffer.from([255, 255]),
      Buffer.alloc(6),
    ]);
    const rows = message('T', Buffer.concat([int16(1), column]));
    const row = message('D', Buffer.concat([int16(1), int32(1), Buffer.from('1')]));
    socket.write(Buffer.concat([rows, row, message('C', Buffer.from('SELECT 1\0')), READY]));
  }
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

const READY = message('Z', Buffer.from('I'));
