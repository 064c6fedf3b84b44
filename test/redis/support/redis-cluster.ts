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
  const nodes: OwnRedis[] = [];
  const end = async (): Promise<void> => {
    await Promise.all(nodes.map(node => node.end()));
  };
  try {
    await makeCluster(nodes);
  } catch (error) {
    await end();
    throw error;
  }
  return { nodes, masterOf: key => masterOf(nodes, key), end };
}

async function makeCluster(nodes: OwnRedis[]): Promise<void> {
  // A node that gets no turn for as long as this is taken for dead, on a busy machine too.
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'];
  // One after another, so that no two take the same port.
  for (let i = 0; i < 6; i++) nodes.push(await startRedis(...settings));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'];
  execFileSync('redis-cli', create, { stdio: 'ignore' });
  // Without replicas in step there is no failover.
  await until(async () => {
    const infos = await Promise.all(nodes.map(({ admin }) => admin.info('replication')));
    return infos.filter(info => info.includes('master_link_status:up')).length === 3;
  });
  await until(async () => {
    const states = await Promise.all(nodes.map(({ admin }) => admin.call('CLUSTER', 'INFO')));
    return states.every(state => String(state).includes('cluster_state:ok'));
  });
}

async function masterOf(nodes: readonly OwnRedis[], key: string): Promise<OwnRedis> {
  let master: OwnRedis | undefined;
  // None, for as long as one is slow to answer or the cluster is choosing an heir.
  await until(async () => {
    const answers = await Promise.all(nodes.map(node => isMasterOf(node, key)));
    master = nodes[answers.indexOf(true)];
    return master !== undefined;
  });
  return master as OwnRedis;
}

/** A node that is not the master of the key answers that it has moved, and one that is dead answers nothing. */
async function isMasterOf({ admin }: OwnRedis, key: string): Promise<boolean> {
  return await Promise.race([
    admin.get(`${key}:probe`).then(
      () => admin.info('replication').then(info => info.includes('role:master')),
      () => false,
    ),
    new Promise<false>(resolve => setTimeout(resolve, 200, false)),
  ]);
}
