import {
  type Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** What the server says to one attempt. */
export type Reply =
  | { readonly value: string; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly code: number;
      readonly details?: string;
      readonly trailers?: Readonly<Record<string, string | string[]>>;
    }
  | { readonly stream: readonly string[]; readonly code?: number }
  | 'silence';

/** A server whose answers a test decides, and that remembers what it was asked. */
export interface EchoServer {
  readonly port: number;
  /** Decides by the number of the attempt that the server sees, from 1. */
  answer(attempt: number): Reply;
  /** `grpc-previous-rpc-attempts` of each attempt that came. */
  readonly seen: (string | undefined)[];
  /** Attempts that were cancelled by their client. */
  cancelled: number;
  /** The context of the attempt that came last. */
  latest: ServerUnaryCall<Buffer, Buffer> | undefined;
  end(): void;
}

/** A client of it. */
export interface EchoClient extends Client {
  get(request: Buffer, callback: (error: ServiceError | null, value?: Buffer) => void): ClientUnaryCall;
  get(
    request: Buffer,
    metadata: Metadata,
    options: object,
    callback: (error: ServiceError | null, value?: Buffer) => void,
  ): ClientUnaryCall;
  list(request: Buffer): ClientReadableStream<Buffer>;
  upload(callback: (error: ServiceError | null, value?: Buffer) => void): ClientWritableStream<Buffer>;
}

const same = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
});
const SERVICE: ServiceDefinition = {
  get: method('Get', false, false),
  list: method('List', false, true),
  upload: method('Upload', true, false),
};

/** Starts a server on a free port. */
export async function startEchoServer(): Promise<EchoServer> {
  const server = new Server();
  let port = 0;
  const echo: EchoServer = {
    get port() {
      return port;
    },
    answer: () => ({ value: 'fine' }),
    seen: [],
    cancelled: 0,
    latest: undefined,
    end: () => server.forceShutdown(),
  };
  type AnyCall = ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;
  const come = (call: AnyCall): Reply => {
    echo.seen.push(call.metadata.get('grpc-previous-rpc-attempts')[0]?.toString());
    const reply = echo.answer(echo.seen.length);
    // grpc-js says "cancelled" of every call that has ended.
    call.on('cancelled', () => {
      if (reply === 'silence') echo.cancelled++;
    });
    return reply;
  };
  const handlers = {
    get: (call: ServerUnaryCall<Buffer, Buffer>, callback: (error: unknown, value?: Buffer) => void) => {
      echo.latest = call;
      const reply = come(call);
      if (reply === 'silence') return;
      if ('headers' in reply && reply.headers !== undefined) call.sendMetadata(metadataOf(reply.headers));
      if ('value' in reply) callback(null, Buffer.from(`${reply.value}${call.request.toString()}`));
      else if ('stream' in reply) callback(null, Buffer.alloc(0));
      else callback({ code: reply.code, details: reply.details ?? 'as asked', metadata: metadataOf(reply.trailers) });
    },
    list: (call: ServerWritableStream<Buffer, Buffer>) => {
      const reply = come(call);
      if (reply === 'silence') return;
      for (const each of 'stream' in reply ? reply.stream : []) call.write(Buffer.from(each));
      const code = 'code' in reply ? reply.code : undefined;
      if (code === undefined) call.end();
      else call.emit('error', { code, details: 'as asked' });
    },
    upload: (call: AnyCall, callback: (error: unknown) => void) => {
      come(call);
      call.on('data', () => undefined);
      call.on('end', () => callback({ code: 14, details: 'as asked' }));
    },
  };
  server.addService(SERVICE, handlers as unknown as UntypedServiceImplementation);
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return echo;
}

/** Connects to a server. */
export function connect(port: number, options: object): EchoClient {
  const Constructor = makeGenericClientConstructor(SERVICE, 'test.Echo');
  return new Constructor(`127.0.0.1:${port}`, credentials.createInsecure(), options) as unknown as EchoClient;
}

function metadataOf(entries: Readonly<Record<string, string | string[]>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) for (const each of [value].flat()) metadata.add(name, each);
  return metadata;
}
