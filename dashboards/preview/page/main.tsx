import {
  createTheme,
  standardTransformers,
  standardTransformersRegistry,
  ThemeContext,
  type TransformerRegistryItem,
} from '@grafana/data';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { GlobalStyles } from '@grafana/ui';
import type { ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { type Mark, readAnnotations } from './annotations.ts';
import { type PanelJson, partsOf } from './dashboard.ts';
import { Page, widthOf } from './page.tsx';
import { type LoadedPanel, reportOf } from './panel.tsx';
import { type Context, loadPanel, timeRange } from './panel-data.ts';
import { Prometheus } from './prometheus.ts';
import type { DashboardReport } from './report.ts';
import { readVariables } from './variables.ts';

declare global {
  /** Set once everything is drawn; whoever takes the picture waits for it. */
  var report: DashboardReport | undefined;
}

/** How long nothing may change on the page until it counts as drawn, in milliseconds. */
const QUIET = 500;

/** Data sources that do not run here. */
const NAMES: Readonly<Record<string, string>> = { loki: 'Loki', tempo: 'Tempo' };

await show(new URLSearchParams(location.search));

async function show(asked: URLSearchParams): Promise<void> {
  // One of them is there under two names.
  const transformers = new Set(Object.values(standardTransformers));
  standardTransformersRegistry.setInit(() => [...transformers].map(registered));
  const theme = createTheme({ colors: { mode: asked.get('theme') === 'light' ? 'light' : 'dark' } });
  const span = { from: Number(asked.get('from')), to: Number(asked.get('to')) };
  const prometheus = new Prometheus(asked.get('prometheus') ?? '');
  const file = `${asked.get('dashboard')}.json`;
  const dashboard: Dashboard = await (await fetch(`/dashboards/${file}`)).json();
  const context: Context = {
    prometheus,
    span,
    theme,
    range: timeRange(span),
    scrapeSeconds: Number(asked.get('scrapeSeconds')),
    variables: await readVariables(dashboard, prometheus, span),
  };
  const problems = context.variables
    .filter(({ values }) => values?.length === 0)
    .map(({ name }) => `the variable ${name} has no value`);
  const marks = await readAnnotations(dashboard, context).catch((error): Mark[] => {
    problems.push(`annotations: ${String(error)}`);
    return [];
  });
  const panels = await Promise.all(partsOf(dashboard).map(json => load(json, context)));

  const root = createRoot(document.getElementById('root') as HTMLElement);
  const draw = (content?: ReactElement): void =>
    root.render(
      <ThemeContext.Provider value={theme}>
        <GlobalStyles />
        {content}
      </ThemeContext.Provider>,
    );
  draw();
  await settled();
  // The graphs are canvases, which take a font only if it is there.
  await Promise.all(['400', '500'].map(weight => document.fonts.load(`${weight} 12px Inter`)));
  draw(<Page {...{ panels, marks, context, file }} title={dashboard.title ?? ''} />);
  await settled();
  const real = panels.filter(({ json: { type } }) => type !== 'row');
  globalThis.report = { panels: real.map(reportOf), problems };
}

async function load(json: PanelJson, context: Context): Promise<LoadedPanel> {
  if (json.type === 'row') return { json, data: { absent: 'it is the title of a row' } };
  const missing = json.targets?.map(({ datasource }) => datasource?.type).find(type => type !== 'prometheus');
  if (missing !== undefined) return { json, data: { absent: `there is no ${NAMES[missing] ?? missing} beside it` } };
  const width = widthOf(json, document.documentElement.clientWidth);
  try {
    return { json, data: await loadPanel(json, width, context) };
  } catch (error) {
    return { json, data: { error: String(error) } };
  }
}

function registered(
  transformation: (typeof standardTransformers)[keyof typeof standardTransformers],
): TransformerRegistryItem {
  const { id, name } = transformation;
  return { id, name, transformation: async () => transformation, editor: () => null, imageDark: '', imageLight: '' };
}

/** Waits until nothing on the page changes any more: components measure themselves and are drawn again. */
function settled(): Promise<void> {
  return new Promise(resolve => {
    let timer = setTimeout(done, QUIET);
    const observer = new MutationObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(done, QUIET);
    });
    observer.observe(document.body, { attributes: true, childList: true, subtree: true });
    function done(): void {
      observer.disconnect();
      resolve();
    }
  });
}
