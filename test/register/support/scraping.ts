/** Code for an app that reports, once `/metrics` is served, what it says of its calls of `load_user` that recovered. */
export function scraping(port: number): string {
  return `
    for (let text; text === undefined; ) {
      await new Promise(resolve => setTimeout(resolve, 50));
      text = await fetch('http://127.0.0.1:${port}/metrics').then(response => response.text(), () => undefined);
      if (text !== undefined) report(text.split('\\n').filter(line =>
        line.startsWith('retry_calls_total{operation="load_user",outcome="success_after_retry"')));
    }`;
}
