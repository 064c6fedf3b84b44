import * as kafkajs from 'kafkajs';
import { errorType } from '../../src/engine/error-type.ts';

/** As kafkajs does after its last retry. */
const exceeded = (inner: Error): Error =>
  new kafkajs.KafkaJSNumberOfRetriesExceeded(inner as never, { retryCount: 0, retryTime: 300 });
const protocol = (code: number, type: string): Error =>
  Object.assign(new kafkajs.KafkaJSProtocolError(new Error(type) as never), { code, type });

it.each<[string, Error, string]>([
  ['an answer of the broker', protocol(5, 'LEADER_NOT_AVAILABLE'), 'LEADER_NOT_AVAILABLE'],
  ['one that is wrapped', exceeded(protocol(5, 'LEADER_NOT_AVAILABLE')), 'LEADER_NOT_AVAILABLE'],
  ['one that is wrapped twice', exceeded(exceeded(protocol(7, 'REQUEST_TIMED_OUT'))), 'REQUEST_TIMED_OUT'],
  [
    'a connection that was refused',
    exceeded(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })),
    'ECONNREFUSED',
  ],
  [
    'a wrapper around nothing',
    Object.assign(new Error('?'), { name: 'KafkaJSNumberOfRetriesExceeded' }),
    'KafkaJSNumberOfRetriesExceeded',
  ],
])('tells of %s what it was', (_, error, type) => {
  expect(errorType(error)).toBe(type);
});
