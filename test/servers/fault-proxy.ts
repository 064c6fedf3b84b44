import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a {@link FaultProxy} does to the connections that go through it. Whatever is left out is no fault. */
export interface Fault {
  /** Milliseconds that each piece of data is held back, in each direction. */
  readonly latencyMs?: number;
  /** Up to as many milliseconds more, by chance. */
  readonly jitterMs?: number;
  /** `'reset'` ends every connection with RST; `'hang'` takes connections and data, and passes nothing on. */
  readonly mode?: 'reset' | 'hang';
  /** Resets a connection after as many bytes of the server's answer. */
  readonly cutAfterBytes?: number;
  /** The share of new connections that are reset: 0 to 1. */
  readonly dropRate?: number;
}

/** A proxy between a client and a server whose faults can be changed while connections are open. */
export interface FaultProxy {
  readonly port: number;
  /** The fault that holds now, for open connections too. */
  fault: Fault;
  /** Connections taken so far. */
  readonly connections: number;
  /** Connections that are open. */
  readonly open: number;
  /** Sets the fault, in place of the one before. */
  set(fault: Fault): void;
  /** No fault any more. Data that a hang held back flows on; a connection that was reset stays so. */
  heal(): void;
  /** Resets every open connection. */
  reset(): void;
  /** Ends the proxy and every connection. */
  end(): Promise<void>;
}

/** Where a proxy leads, and how it begins. */
export interface FaultProxyOptions {
  readonly to: { readonly host?: string; readonly port: number };
  readonly fault?: Fault;
  /** Chance, from 0 to 1; for runs that can be repeated. Default `Math.random`. */
  random?(): number;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new TcpProxy(options);
  await proxy.start();
  return proxy;
}

class TcpProxy implements FaultProxy {
  port = 0;
  connections = 0;
  #fault: Fault;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #random: () => number;
  readonly #pipes = new Set<Pipe>();
  readonly #server = createServer({ allowHalfOpen: true }, client => this.#take(client));

  constructor({ to, fault = {}, random = Math.random }: FaultProxyOptions) {
    this.#to = { host: to.host ?? '127.0.0.1', port: to.port };
    this.#fault = fault;
    this.#random = random;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  get fault(): Fault {
    return this.#fault;
  }

  set fault(fault: Fault) {
    this.#fault = fault;
    if (fault.mode === 'reset') this.reset();
    for (const pipe of this.#pipes) pipe.flow();
  }

  get open(): number {
    return this.#pipes.size / 2;
  }

  set(fault: Fault): void {
    this.fault = fault;
  }

  heal(): void {
    this.fault = {};
  }

  reset(): void {
    for (const pipe of [...this.#pipes]) pipe.reset();
  }

  async end(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    this.connections++;
    client.on('error', () => undefined);
    const { mode, dropRate = 0 } = this.#fault;
    if (mode === 'reset' || this.#random() < dropRate) {
      resetSocket(client);
      return;
    }
    const server = connect({ ...this.#to, allowHalfOpen: true });
    this.#join(client, server);
  }

  #join(client: Socket, server: Socket): void {
    const faultNow = (): Fault => this.#fault;
    const reset = (): void => {
      resetSocket(client);
      resetSocket(server);
    };
    const pipes = [
      new Pipe(client, server, { faultNow, random: this.#random, cuts: false, reset }),
      new Pipe(server, client, { faultNow, random: this.#random, cuts: true, reset }),
    ];
    for (const pipe of pipes) this.#pipes.add(pipe);
    const gone = (): void => {
      for (const pipe of pipes) {
        pipe.stop();
        this.#pipes.delete(pipe);
      }
    };
    for (const [side, other] of [
      [client, server],
      [server, client],
    ] as const) {
      side.setNoDelay();
      side.on('error', reset);
      side.on('close', () => {
        gone();
        if (!other.destroyed) other.destroySoon();
      });
    }
  }
}

interface PipeOptions {
  faultNow(): Fault;
  random(): number;
  /** Whether `cutAfterBytes` counts this direction. */
  readonly cuts: boolean;
  reset(): void;
}

/** One direction of a connection: pieces of data in order, each with the time from which it may go on. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #options: PipeOptions;
  readonly #queue: { readonly data: Buffer | 'end'; readonly due: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #passed = 0;
  #due = 0;

  constructor(from: Socket, to: Socket, options: PipeOptions) {
    this.#from = from;
    this.#to = to;
    this.#options = options;
    from.on('data', data => this.#push(data));
    from.on('end', () => this.#push('end'));
    to.on('drain', () => from.resume());
  }

  /** Passes on what is due, and comes back for the rest. */
  flow(): void {
    clearTimeout(this.#timer);
    while (this.#options.faultNow().mode !== 'hang') {
      const next = this.#queue[0];
      if (next === undefined) return;
      const waitMs = next.due - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flow(), Math.ceil(waitMs));
        return;
      }
      this.#queue.shift();
      this.#pass(next.data);
    }
  }

  reset(): void {
    this.#options.reset();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #push(data: Buffer | 'end'): void {
    const { latencyMs = 0, jitterMs = 0 } = this.#options.faultNow();
    // A later piece never overtakes an earlier one.
    this.#due = Math.max(this.#due, performance.now() + latencyMs + this.#options.random() * jitterMs);
    this.#queue.push({ data, due: this.#due });
    this.flow();
  }

  #pass(data: Buffer | 'end'): void {
    if (data === 'end') {
      this.#to.end();
      return;
    }
    const { cutAfterBytes = Infinity } = this.#options.faultNow();
    if (!this.#options.cuts || this.#passed + data.length <= cutAfterBytes) {
      this.#passed += data.length;
      if (!this.#to.write(data)) this.#from.pause();
      return;
    }
    const rest = data.subarray(0, Math.max(0, cutAfterBytes - this.#passed));
    this.#passed += rest.length;
    // The reset would overtake bytes that the system has not taken yet.
    this.#to.write(rest, () => setTimeout(() => this.#options.reset(), 10));
    this.#queue.length = 0;
    this.#from.pause();
  }
}

/** A socket whose side has ended cannot be reset any more: Node would keep its handle, and turn round it for ever. */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else if (!socket.destroyed) socket.resetAndDestroy();
}
