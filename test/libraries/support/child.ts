import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import '../../../src/index.ts';
import { LIBRARIES } from '../../../instrumentation/libraries/index.ts';
import { METRICS } from '../../../instrumentation/names.ts';
import { faultCounts } from '../../../src/engine/faults.ts';
import { storeFamilies } from './counters.ts';
import type { Loader, Note, Report, SpanReport, Subject } from './scenario.ts';
import { settledText, show } from './scenario.ts';

/**
 * Runs the scenarios of one library and prints a {@link Report}: `child.ts <library> <plain|patched|registered> <import|require>`.
 * `RETRYSCOPE_LIBRARY_FOLDER` names a folder whose `node_modules` hold another version of it.
 */
const [, , name, mode, how] = process.argv as [string, string, string, string, 'import' | 'require'];
const folder = process.env.RETRYSCOPE_LIBRARY_FOLDER ?? join(import.meta.dirname, '../../..');
const require = createRequire(join(folder, 'from.js'));

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
const counters = storeFamilies();

const loader: Loader = {
  how,
  load: async (module, file) => {
    const exports: unknown =
      file === undefined && how === 'import' ? await import(importable(module)) : require(pathOf(module, file));
    if (mode !== 'patched') return exports;
    const library = LIBRARIES.find(each => each.module === module && each.file === file);
    if (library === undefined) throw new Error(`there is no patch for ${module}`);
    return library.patch(exports);
  },
};

// Some scenarios wait with timers that do not hold the process.
setInterval(() => undefined, 1000);

const { subject } = (await import(`../scenarios/${name}.ts`)) as { subject: Subject<unknown> };
const library = await subject.load(loader);
const seen: Record<string, string[]> = {};
const spans: Record<string, SpanReport[]> = {};
for (const [scenario, run] of Object.entries(subject.scenarios)) {
  const notes: string[] = [];
  const note: Note = (what, ...facts) => notes.push([what, ...facts.map(show)].join(' '));
  const only = process.env.RETRYSCOPE_SCENARIO;
  if (only !== undefined && only !== scenario) continue;
  notes.push(await settledText(() => run(library, note)));
  await new Promise(resolve => setTimeout(resolve, 5));
  seen[scenario] = notes.map(withoutChance);
  spans[scenario] = exporter.getFinishedSpans().map(reportOf);
  exporter.reset();
}
const report: Omit<Report, 'stderr'> = {
  seen,
  spans,
  metrics: counters.totals([
    METRICS.calls,
    METRICS.attempts,
    METRICS.retries,
    METRICS.breakerState,
    METRICS.breakerTransitions,
    METRICS.breakerCalls,
  ]),
  inFlight: counters.inFlight(),
  faults: Object.fromEntries(faultCounts()),
};
process.stdout.write(`\n${JSON.stringify(report)}\n`, () => process.exit(0));

function importable(module: string): string {
  return process.env.RETRYSCOPE_LIBRARY_FOLDER === undefined ? module : pathToFileURL(require.resolve(module)).href;
}

/** Packages do not export their inner files, and load them by `require` alone. */
function pathOf(module: string, file: string | undefined): string {
  return file === undefined ? module : join(folder, 'node_modules', module, file);
}

function reportOf(span: ReadableSpan): SpanReport {
  return {
    name: span.name,
    id: span.spanContext().spanId,
    parent: span.parentSpanContext?.spanId,
    failed: span.status.code === 2,
    message: span.status.message,
    attributes: span.attributes,
    durationMs: span.duration[0] * 1000 + span.duration[1] / 1e6,
  };
}

/** Servers listen on another port each time, and say when they answered. */
function withoutChance(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+/g, 'host').replaceAll(/"date":"[^"]*"/g, '"date":""');
}
