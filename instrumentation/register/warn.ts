/** Says something once to whoever runs the process: there is nobody else to tell before the app has begun. */
export function warn(code: string, text: string): void {
  if (said.has(text)) return;
  said.add(text);
  try {
    process.emitWarning(text, { type: 'RetryscopeWarning', code });
  } catch {
    // A process that forbids warnings has said that it does not want to know.
  }
}

const said = new Set<string>();
