import { scaled, seconds } from '../../../dashboards/src/duration.ts';

it.each([
  ['500ms', 0.5],
  ['90s', 90],
  ['5m', 300],
  ['1h30m', 5400],
  ['1d', 86_400],
  ['2w', 1_209_600],
  ['1w2d3h4m5s6ms', 788_645.006],
  ['0s', 0],
])('reads %s as %d seconds', (text, expected) => {
  expect(seconds(text)).toBeCloseTo(expected, 6);
});

it.each(['', '5', 'm', '5 m', ' 5m', '5m ', '-5m', '1.5h', '5M', '30m1h', '5m5m', '1y', '1h\n', '１h'])(
  'reads %p as no duration, as Prometheus does',
  text => {
    expect(seconds(text)).toBeNaN();
  },
);

it.each([
  ['5m', 1, '5m'],
  ['1h30m', 1, '1h30m'],
  ['1h', 60, '60s'],
  ['5m', 60, '5s'],
  ['30s', 60, '500ms'],
  ['1d', 7, '12342857ms'],
  ['1ms', 1000, '1ms'],
  ['1m', 0.5, '120s'],
])('divides %s by %d: %s', (text, scale, expected) => {
  expect(scaled(text, scale)).toBe(expected);
  expect(seconds(expected)).toBeGreaterThan(0);
});
