import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

// A broker of one node, in this process, that speaks just enough of the Kafka protocol for kafkajs and @platformatic/kafka
// to publish, and fails as it is told. It keeps what was published; nobody can consume it.

/** What the broker does with one publish, in place of taking it: answer with an error code, say nothing, or hang up. */
export type Misbehaviour =
  | { readonly code: number }
  | { readonly then: 'silence' | 'hang_up'; readonly isWritten: boolean };

/** A message that the broker has written. */
export interface WrittenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/** The mock, and what it has seen. */
export interface KafkaWireMock {
  readonly brokers: string[];
  readonly written: readonly WrittenRecord[];
  /** How many publishes have reached it. */
  readonly publishes: number;
  /** What it does with the next publishes, one each; then it takes them. */
  readonly next: Misbehaviour[];
  end(): Promise<void>;
}

/** Starts the mock on a free port of 127.0.0.1. Every topic is there, with `partitions` partitions. */
export async function startKafkaWireMock({ partitions = 3 }: { partitions?: number } = {}): Promise<KafkaWireMock> {
  const broker = new WireBroker(partitions);
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    broker.serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  broker.port = (server.address() as AddressInfo).port;
  return {
    brokers: [`127.0.0.1:${broker.port}`],
    written: broker.written,
    next: broker.next,
    get publishes() {
      return broker.publishes;
    },
    end: async () => {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const PRODUCE = 0;
const METADATA = 3;
const API_VERSIONS = 18;
const INIT_PRODUCER_ID = 22;
/** The versions that need no compact types: key, oldest, newest. */
const VERSIONS = [
  [PRODUCE, 3, 7],
  [METADATA, 5, 6],
  [API_VERSIONS, 0, 2],
  [INIT_PRODUCER_ID, 0, 1],
] as const;
const UNSUPPORTED_VERSION = 35;

class WireBroker {
  port = 0;
  publishes = 0;
  readonly written: WrittenRecord[] = [];
  readonly next: Misbehaviour[] = [];
  readonly #partitions: number;
  #producers = 0n;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  serve(socket: Socket): void {
    let rest = Buffer.alloc(0);
    socket.on('data', chunk => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const end = 4 + rest.readInt32BE(0);
        const answer = this.#answer(new Reader(rest.subarray(4, end)));
        rest = rest.subarray(end);
        if (answer === 'hang_up') socket.destroy();
        else if (answer !== 'silence') socket.write(answer);
      }
    });
  }

  #answer(request: Reader): Buffer | 'silence' | 'hang_up' {
    const key = request.int16();
    const version = request.int16();
    const response = new Writer().int32(0).int32(request.int32());
    request.string();
    if (key === METADATA) return this.#metadata(request, response).framed();
    if (key === API_VERSIONS) return apiVersions(version, response).framed();
    if (key === INIT_PRODUCER_ID)
      return response
        .int32(0)
        .int16(0)
        .int64(++this.#producers)
        .int16(0)
        .framed();
    if (key === PRODUCE) return this.#produce(request, response);
    return 'hang_up';
  }

  #metadata(request: Reader, response: Writer): Writer {
    const topics = request.list(() => request.string() ?? '');
    response.int32(0).list([0], () => response.int32(0).string('127.0.0.1').int32(this.port).string(null));
    response.string('wire').int32(0);
    const partitions = Array.from({ length: this.#partitions }, (_, i) => i);
    return response.list(topics, topic => {
      response.int16(0).string(topic).int8(0);
      response.list(partitions, partition => {
        response.int16(0).int32(partition).int32(0);
        for (const nodes of [[0], [0], []]) response.list(nodes, node => response.int32(node));
      });
    });
  }

  #produce(request: Reader, response: Writer): Buffer | 'silence' | 'hang_up' {
    this.publishes++;
    const behaviour = this.next.shift();
    request.string();
    request.int16();
    request.int32();
    const isWritten = behaviour === undefined || ('isWritten' in behaviour && behaviour.isWritten);
    const topics = request.list(() => ({
      topic: request.string() ?? '',
      batches: request.list(() => ({ partition: request.int32(), batch: request.bytes(request.int32()) })),
    }));
    const code = behaviour !== undefined && 'code' in behaviour ? behaviour.code : 0;
    response.list(topics, ({ topic, batches }) => {
      response.string(topic).list(batches, ({ partition, batch }) => {
        const offset = this.written.filter(each => each.topic === topic && each.partition === partition).length;
        if (isWritten) this.written.push(...recordsOf(batch).map(record => ({ topic, partition, ...record })));
        response
          .int32(partition)
          .int16(code)
          .int64(BigInt(code === 0 ? offset : -1))
          .int64(-1n)
          .int64(0n);
      });
    });
    response.int32(0);
    return behaviour !== undefined && 'then' in behaviour ? behaviour.then : response.framed();
  }
}

function apiVersions(version: number, response: Writer): Writer {
  // A version that is too new is answered in the oldest form.
  response.int16(version > 2 ? UNSUPPORTED_VERSION : 0);
  response.list(VERSIONS, ([key, oldest, newest]) => response.int16(key).int16(oldest).int16(newest));
  return version > 0 && version <= 2 ? response.int32(0) : response;
}

/** The messages of a batch of the present format, uncompressed. */
function recordsOf(bytes: Buffer): Omit<WrittenRecord, 'topic' | 'partition'>[] {
  const batch = new Reader(bytes);
  // Its head, up to the number of records.
  batch.bytes(57);
  return Array.from({ length: batch.int32() }, () => {
    batch.varint();
    batch.bytes(1);
    batch.varint();
    batch.varint();
    const key = batch.varbytes()?.toString() ?? null;
    const value = batch.varbytes()?.toString() ?? null;
    const headers = Array.from({ length: batch.varint() }, () => [
      batch.varbytes()?.toString() ?? '',
      batch.varbytes() ?? Buffer.alloc(0),
    ]);
    return { key, value, headers: Object.fromEntries(headers) as Record<string, Buffer> };
  });
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  bytes(length: number): Buffer {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  int16(): number {
    return this.bytes(2).readInt16BE();
  }

  int32(): number {
    return this.bytes(4).readInt32BE();
  }

  string(): string | null {
    const length = this.int16();
    return length < 0 ? null : this.bytes(length).toString();
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }

  /** A zigzag number; longer ones than 32 bits are read past, not understood. */
  varint(): number {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes(1).readUInt8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((value >> 1n) ^ -(value & 1n));
    }
  }

  varbytes(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.bytes(length);
  }
}

class Writer {
  readonly #parts: Buffer[] = [];

  int8(value: number): this {
    return this.#add(1, bytes => bytes.writeInt8(value));
  }

  int16(value: number): this {
    return this.#add(2, bytes => bytes.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.#add(4, bytes => bytes.writeInt32BE(value));
  }

  int64(value: bigint): this {
    return this.#add(8, bytes => bytes.writeBigInt64BE(value));
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    this.int16(Buffer.byteLength(value));
    this.#parts.push(Buffer.from(value));
    return this;
  }

  list<T>(items: readonly T[], item: (item: T) => unknown): this {
    this.int32(items.length);
    for (const each of items) item(each);
    return this;
  }

  /** Everything, with the length in the four bytes that were left for it. */
  framed(): Buffer {
    const bytes = Buffer.concat(this.#parts);
    bytes.writeInt32BE(bytes.length - 4, 0);
    return bytes;
  }

  #add(length: number, write: (bytes: Buffer) => unknown): this {
    const bytes = Buffer.alloc(length);
    write(bytes);
    this.#parts.push(bytes);
    return this;
  }
}
