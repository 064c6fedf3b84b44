import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { until } from '../redis/support/until.ts';

/** A Kafka broker for a test: librdkafka's mock cluster, which Debian's kcat starts, or a real one. */
export interface KafkaBroker {
  readonly brokers: string[];
  /** Undefined for a real broker, which is not ours to hang. */
  readonly process: KafkaProcess | undefined;
  end(): Promise<void>;
}

/** What can be done to the mock cluster. It has one broker, keeps everything in memory, and makes topics of 4 partitions. */
export interface KafkaProcess {
  readonly port: number;
  /** Hangs it: connections stay open, and nothing answers. */
  hang(): Promise<void>;
  /** Lets it go on after a hang. */
  goOn(): void;
  /** Ends it at once, as kill -9 does. */
  kill(): Promise<void>;
}

/** Whether there is a broker to test with: one that `KAFKA_BROKERS` names, or kcat. */
export const hasKafka = (): boolean => process.env.KAFKA_BROKERS !== undefined || hasKcat;

/** Whether the mock cluster can be started. */
export const hasKcat: boolean = canRun('kcat');

/** The broker at `KAFKA_BROKERS`, else a mock cluster of our own. */
export async function startKafka(): Promise<KafkaBroker> {
  const real = process.env.KAFKA_BROKERS;
  if (real !== undefined) return { brokers: real.split(','), process: undefined, end: async () => undefined };
  return startKafkaMock();
}

/** Starts a mock cluster of one broker. */
export async function startKafkaMock(): Promise<KafkaBroker & { readonly process: KafkaProcess }> {
  // It lives as long as it waits for messages to come from its input.
  const args = ['-X', 'test.mock.num.brokers=1', '-b', 'mock', '-P', '-t', 'keepalive'];
  const child = spawn('kcat', args, { stdio: ['pipe', 'ignore', 'pipe'] });
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const port = await portOf(child);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  const hang = async (): Promise<void> => {
    child.kill('SIGSTOP');
    // The signal takes a moment to arrive.
    await until(() => /^T/.test(execFileSync('ps', ['-o', 'stat=', '-p', String(child.pid)], { encoding: 'utf8' })));
  };
  return {
    brokers: [`127.0.0.1:${port}`],
    process: { port, hang, goOn: () => void child.kill('SIGCONT'), kill },
    end: kill,
  };
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const port = /replaced with 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`kcat ended with ${code}: ${said}`)));
  });
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
