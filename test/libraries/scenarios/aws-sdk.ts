import { subscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { trace } from '@opentelemetry/api';
import { type FlakyServer, startFlakyServer } from '../support/flaky-server.ts';
import type { Note, Subject } from '../support/scenario.ts';

interface Client {
  send(command: unknown, options?: Record<string, unknown>): Promise<Record<string, unknown>>;
  destroy(): void;
}

interface Sts {
  readonly STSClient: new (options: Record<string, unknown>) => Client;
  readonly GetCallerIdentityCommand: new (input: Record<string, unknown>) => unknown;
}

interface Loaded {
  readonly sts: Sts;
  readonly core: Record<string, unknown>;
  readonly server: FlakyServer;
}

const ANSWER = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::1:user/ada</Arn><UserId>ada</UserId><Account>1</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;

/** Each request as a span, in the context in which it is sent: as instrumentations of `node:http` do. */
subscribe('http.client.request.created', () => trace.getTracer('user').startSpan('POST').end());
subscribe('http.client.request.start', () => undefined);

function clientOf({ sts, server }: Loaded, options: Record<string, unknown> = {}): Client {
  return new sts.STSClient({
    region: 'eu-central-1',
    endpoint: `http://${server.host}`,
    credentials: { accessKeyId: 'key', secretAccessKey: 'planted-secret' },
    maxAttempts: 3,
    ...options,
  });
}

async function identityOf(
  loaded: Loaded,
  note: Note,
  options?: Record<string, unknown>,
  send?: Record<string, unknown>,
): Promise<unknown> {
  const client = clientOf(loaded, options);
  try {
    const { Account, $metadata } = await client.send(new loaded.sts.GetCallerIdentityCommand({}), send);
    const { attempts, httpStatusCode } = $metadata as { attempts: number; httpStatusCode: number };
    note('answer', httpStatusCode, attempts);
    return Account;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { attempts: number } };
    note('error', name, message, $metadata?.attempts);
  } finally {
    client.destroy();
  }
}

export const subject: Subject<Loaded> = {
  load: async ({ load }) => {
    const core = (await load('@smithy/core', 'dist-cjs/submodules/retry/index.js')) as Record<string, unknown>;
    const require = createRequire(join(import.meta.dirname, 'from.js'));
    return { core, sts: require('@aws-sdk/client-sts') as Sts, server: await startFlakyServer(ANSWER, 'text/xml') };
  },
  scenarios: {
    shape: ({ core }, note) => note('exports', core.getRetryPlugin, core.retryMiddleware, Object.keys(core).sort()),
    'succeeds at once': (loaded, note) => identityOf(loaded, note),
    'succeeds after retries': (loaded, note) => {
      loaded.server.fail(2);
      return identityOf(loaded, note);
    },
    'exhausts its attempts': (loaded, note) => {
      loaded.server.fail(9);
      return identityOf(loaded, note);
    },
    'meets a cut connection': (loaded, note) => {
      loaded.server.fail(1, { cut: 'before' });
      return identityOf(loaded, note);
    },
    'has an error that is not retried': (loaded, note) => {
      loaded.server.fail(9, { status: 403 });
      return identityOf(loaded, note);
    },
    'is aborted in an attempt': (loaded, note) => {
      const controller = new AbortController();
      controller.abort();
      return identityOf(loaded, note, {}, { abortSignal: controller.signal });
    },
    'may not retry': (loaded, note) => {
      loaded.server.fail(1);
      return identityOf(loaded, note, { maxAttempts: 1 });
    },
    'sends more than once': async (loaded, note) => {
      const client = clientOf(loaded);
      const send = () => client.send(new loaded.sts.GetCallerIdentityCommand({}));
      loaded.server.fail(1);
      note(
        'accounts',
        (await Promise.all([send(), send()])).map(each => each.Account),
      );
      client.destroy();
    },
  },
};
