/** Every entry of the package, by its name in `exports`, and the source behind it. */
export const ENTRIES = {
  '.': 'src/index.ts',
  './core': 'src/core.ts',
  './testing': 'src/testing/index.ts',
  './opentelemetry': 'instrumentation/opentelemetry/index.ts',
  './prometheus': 'instrumentation/prometheus/index.ts',
  './loggers': 'instrumentation/loggers/index.ts',
  './winston': 'instrumentation/loggers/winston.ts',
  './setup': 'instrumentation/setup/index.ts',
  './register': 'instrumentation/register/index.ts',
  './budget-redis': 'src/limits/redis/index.ts',
  './propagation': 'src/limits/propagation/index.ts',
  './http': 'src/services/http/index.ts',
  './database': 'src/services/database/index.ts',
  './kafka': 'src/services/kafka/index.ts',
  './redis': 'src/services/redis/index.ts',
  './files': 'src/services/files/index.ts',
  './grpc': 'src/services/grpc/index.ts',
  './classify': 'src/services/classify/index.ts',
  './policy-file': 'src/services/policy-file/index.ts',
  './dead-letters': 'src/recovery/dead-letters/index.ts',
  './dead-letters/sqlite': 'src/recovery/dead-letters/sqlite/index.ts',
  './dead-letters/postgres': 'src/recovery/dead-letters/postgres/index.ts',
  './dead-letters/redis': 'src/recovery/dead-letters/redis/index.ts',
  './dead-letters/kafka': 'src/recovery/dead-letters/kafka/index.ts',
  './durable/bullmq': 'src/recovery/durable/bullmq/index.ts',
  './durable/pg-boss': 'src/recovery/durable/pg-boss/index.ts',
};

/** The name of an entry's files in dist/. */
export function distName(entry) {
  return entry === '.' ? 'index' : entry.slice(2);
}
