import { execFileSync } from 'node:child_process';
import { type OwnRedis, startRedis } from './redis-server.ts';
import { until } from './until.ts';

/** Three masters, each with a replica. */
export interface OwnCluster {
  readonly nodes: readonly OwnRedis[];
  /** The node that is the master of a key now, by what a node of the cluster says. */
  masterOf(key: string): Promise<OwnRedis>;
  end(): Promise<void>;
}

/** Starts a cluster that fails over within a few seconds. */
export async function startCluster(): Promise<OwnCluster> {
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'];
  const nodes: OwnRedis[] = [];
  // One after another, so that no two take the same port.
  for (let i = 0; i < 6; i++) nodes.push(await startRedis(...settings));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'];
  execFileSync('redis-cli', create, { stdio: 'ignore' });
  // Without replicas in step there is no failover.
  await until(async () => {
    const infos = await Promise.all(nodes.map(({ admin }) => admin.info('replication')));
    return infos.filter(info => info.includes('master_link_status:up')).length === 3;
  }, 30_000);
  await until(async () => {
    const states = await Promise.all(nodes.map(({ admin }) => admin.call('CLUSTER', 'INFO')));
    return states.every(state => String(state).includes('cluster_state:ok'));
  }, 30_000);
  return {
    nodes,
    masterOf: key => masterOf(nodes, key),
    end: async () => {
      await Promise.all(nodes.map(node => node.end()));
    },
  };
}

async function masterOf(nodes: readonly OwnRedis[], key: string): Promise<OwnRedis> {
  for (const node of nodes) {
    // A node that is not the master of the key answers that it has moved.
    const isMaster = await Promise.race([
      node.admin.get(`${key}:probe`).then(
        () => node.admin.info('replication').then(info => info.includes('role:master')),
        () => false,
      ),
      new Promise<false>(resolve => setTimeout(resolve, 200, false)),
    ]);
    if (isMaster) return node;
  }
  throw new Error('no node is the master of the key');
}
