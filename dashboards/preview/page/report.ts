/** What became of a dashboard. */
export interface DashboardReport {
  readonly panels: readonly PanelReport[];
  /** Variables without a value, and annotations that could not be asked for. */
  readonly problems: readonly string[];
}

/**
 * What became of a panel: `drawn` by Grafana's component, `stand-in` by ours, `empty` with what it says when there is no
 * data, `absent` because nothing here can answer it, or `failed`.
 */
export interface PanelReport {
  readonly title: string;
  readonly became: 'drawn' | 'stand-in' | 'empty' | 'absent' | 'failed';
  readonly why?: string;
}
