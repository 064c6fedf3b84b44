/** Where else each record of a histogram goes, when an OpenTelemetry instrument is fed beside our own cell. */
export type HistogramSink = (value: number, attributes: Attributes, context: unknown) => void;

/** Attributes of a series, by OpenTelemetry key. */
export type Attributes = Readonly<Record<string, string>>;

/** A trace that shows what a record of a bucket was. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** One series of a histogram with fixed buckets. Recording costs a short search and two additions. */
export class HistogramCell {
  readonly attributes: Attributes;
  readonly bounds: readonly number[];
  /** Records per bucket; the last one counts what is above every bound. */
  readonly counts: number[];
  /** The latest exemplar of each bucket. */
  readonly exemplars: (Exemplar | undefined)[] = [];
  sum = 0;
  count = 0;

  constructor(attributes: Attributes, bounds: readonly number[]) {
    this.attributes = attributes;
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Records a value; gives the bucket that it fell into. Values that are no number from 0 up are left out. */
  record(value: number): number {
    if (!(value >= 0 && value < Infinity)) return -1;
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += value;
    this.count++;
    return bucket;
  }
}
