import type { GrafanaTheme2 } from '@grafana/data';
import type { ReactElement } from 'react';

export interface MessageProps {
  readonly text: string;
  readonly theme: GrafanaTheme2;
  readonly width: number;
  readonly height: number;
}

/** What stands in a panel that shows nothing else. */
export function Message({ text, theme, width, height }: MessageProps): ReactElement {
  const color = theme.colors.text.secondary;
  return <div style={{ width, height, color, display: 'grid', placeItems: 'center', textAlign: 'center' }}>{text}</div>;
}
