/** The names in a variable that holds a list. */
export function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(name => name !== '');
}

/** A limit that the environment sets to a number from 0 up; anything else is the same as absent. */
export function limit<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: number } {
  const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value);
  return (number >= 0 ? { [name]: number } : {}) as { [name in Name]?: number };
}

/** Says that a protocol is asked for that what is started here does not speak. */
export function warnOfProtocol(what: 'spans' | 'metrics', own: string | undefined): void {
  const protocol = (own || process.env.OTEL_EXPORTER_OTLP_PROTOCOL || PROTOCOL).trim();
  if (protocol === PROTOCOL) return;
  process.emitWarning(`startTelemetry sends ${what} by ${PROTOCOL}; it does not know the protocol ${protocol}`, {
    type: 'RetryscopeWarning',
    code: 'RETRYSCOPE_OTLP_PROTOCOL',
  });
}

const PROTOCOL = 'http/protobuf';
