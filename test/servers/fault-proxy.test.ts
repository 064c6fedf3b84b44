import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from '../redis/support/until.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';

// Real connections on real time, on machines that may be busy.
jest.setTimeout(60_000);

describe('a fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let chance = 0.5;
  const clients: Socket[] = [];

  beforeAll(async () => {
    server = createServer(socket => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  beforeEach(async () => {
    chance = 0.5;
    const { port } = server.address() as AddressInfo;
    proxy = await startFaultProxy({ to: { port }, random: () => chance });
  });

  afterEach(async () => {
    for (const socket of clients.splice(0)) socket.destroy();
    await proxy.end();
  });

  afterAll(async () => {
    server.close();
    await once(server, 'close');
  });

  it('passes everything on, both ways, and counts connections', async () => {
    const client = await open();
    client.send('hello');
    await until(() => client.text === 'hello');
    expect(proxy.connections).toBe(1);
    expect(proxy.open).toBe(1);
    client.socket.end();
    await until(() => proxy.open === 0);
  });

  it('passes on more than its buffers hold, byte for byte', async () => {
    const client = await open();
    const text = 'abcdefghij'.repeat(400_000);
    client.send(text);
    await until(() => client.text.length === text.length);
    expect(client.text === text).toBe(true);
  });

  it('holds data back by latency and jitter, in order', async () => {
    proxy.set({ latencyMs: 20, jitterMs: 20 });
    const client = await open();
    const start = performance.now();
    chance = 0.99;
    client.send('a');
    await until(() => client.text === 'a');
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
    client.send('b');
    chance = 0;
    client.send('c');
    await until(() => client.text.length === 3);
    expect(client.text).toBe('abc');
  });

  it('resets new and open connections', async () => {
    const client = await open();
    proxy.set({ mode: 'reset' });
    await until(() => client.error === 'ECONNRESET');
    const late = await open();
    late.send('x');
    await until(() => late.error === 'ECONNRESET');
  });

  it('hangs: connections stay open and nothing passes until it heals', async () => {
    const client = await open();
    proxy.fault = { mode: 'hang' };
    const late = await open();
    client.send('early');
    late.send('late');
    await new Promise(resolve => setTimeout(resolve, 50));
    expect([client.text, late.text, client.error, late.error]).toEqual(['', '', undefined, undefined]);
    proxy.heal();
    await until(() => client.text === 'early' && late.text === 'late');
  });

  it('cuts a connection after as many bytes of the answer', async () => {
    proxy.set({ cutAfterBytes: 5 });
    const client = await open();
    client.send('0123456789');
    await until(() => client.error === 'ECONNRESET');
    expect(client.text).toBe('01234');
  });

  it('drops connections by chance', async () => {
    proxy.set({ dropRate: 0.3 });
    chance = 0.29;
    const dropped = await open();
    dropped.send('x');
    await until(() => dropped.error === 'ECONNRESET');
    chance = 0.31;
    const kept = await open();
    kept.send('x');
    await until(() => kept.text === 'x');
  });

  it('refuses connections once it has ended', async () => {
    const other = await startFaultProxy({ to: { port: 1 } });
    await other.end();
    const client = await open(other.port);
    await until(() => client.error === 'ECONNREFUSED');
  });

  it('leaves no socket behind when it ends while connections are closing', async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length;
    const before = sockets();
    const other = await startFaultProxy({ to: { port: (server.address() as AddressInfo).port } });
    const client = await open(other.port);
    client.send('x');
    await until(() => client.text === 'x');
    client.socket.end();
    await other.end();
    client.socket.destroy();
    await until(() => sockets() <= before);
  });

  it('resets a client whose server refuses', async () => {
    const dead = await startFaultProxy({ to: { port: 1 } });
    const client = await open(dead.port);
    await until(() => client.error === 'ECONNRESET');
    await dead.end();
  });

  async function open(port: number = proxy.port): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    const client: Client = { socket, text: '', error: undefined, send: text => socket.write(text) };
    socket.setEncoding('utf8');
    socket.on('data', text => {
      client.text += String(text);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      client.error = error.code;
    });
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
    clients.push(socket);
    return client;
  }
});

interface Client {
  readonly socket: Socket;
  text: string;
  error: string | undefined;
  send(text: string): void;
}
