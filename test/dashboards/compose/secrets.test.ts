import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, read, serviceNamed, services } from './stack.ts';

const SECRET = /PASSWORD|SECRET|TOKEN|PASSWD|CREDENTIAL/i;

it('takes every password from a variable that has to be set, and has no other', () => {
  const secrets = services.flatMap(([, { environment = {} }]) =>
    Object.entries(environment).filter(([name]) => SECRET.test(name)),
  );
  expect(secrets.map(([name]) => name)).toEqual(['GF_SECURITY_ADMIN_PASSWORD', 'REDIS_PASSWORD', 'POSTGRES_PASSWORD']);
  for (const [, value] of secrets) expect(value).toMatch(/^\$\{(\w+):\?set \1 in \.env, see \.env\.example\}$/);
});

it('puts none into an address or an argument, where it would be seen', () => {
  for (const [, { environment = {}, command = [], entrypoint = [], healthcheck }] of services) {
    for (const value of Object.values(environment)) {
      // What stands before an @, but for a variable that has to be set.
      expect(value.replace(/\$\{\w+:\?[^}]*\}@/, '@')).not.toMatch(/:\/\/[^/@]*[^/@:][^/@]*@/);
    }
    for (const argument of [...command, ...entrypoint, ...(healthcheck?.test ?? [])]) {
      // Only the shell in the container puts it in.
      expect(argument.replaceAll('"$$REDIS_PASSWORD"', '')).not.toMatch(/PASSWORD\b(?!=$)|\$\{\w+:\?/);
    }
  }
});

it('has no default for a password, neither in the compose file nor in .env.example', () => {
  expect(read('docker-compose.yml')).not.toMatch(/\$\{\w*PASSWORD\w*:?-/);
  const lines = read('.env.example')
    .split('\n')
    .filter(line => SECRET.test(line) && !line.startsWith('# '));
  expect(lines).toEqual(['GRAFANA_ADMIN_PASSWORD=', 'POSTGRES_PASSWORD=', 'REDIS_PASSWORD=']);
});

it('keeps .env out of the repository', () => {
  expect(read('.gitignore').split('\n')).toContain('.env');
});

it.each(filesBelow('dashboards/provisioning').concat(filesBelow('dashboards/stack')))('has no password in %s', path => {
  expect(read(path)).not.toMatch(/^\s*[\w.-]*(password|requirepass|secret|token)[\w.-]*\s*[:=\s]\s*\S+/im);
});

it('lets nobody into Grafana without a name, and nobody make one', () => {
  const { environment = {} } = serviceNamed('grafana');
  expect(environment).toMatchObject({ GF_AUTH_ANONYMOUS_ENABLED: 'false', GF_USERS_ALLOW_SIGN_UP: 'false' });
  expect(Object.keys(environment).join()).not.toMatch(/ANONYMOUS_ORG|AUTH_PROXY|DISABLE_LOGIN|VIEWERS_CAN_EDIT/);
});

it('has nobody report to anybody', () => {
  expect(serviceNamed('grafana').environment).toMatchObject({
    GF_ANALYTICS_REPORTING_ENABLED: 'false',
    GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
    GF_NEWS_NEWS_FEED_ENABLED: 'false',
  });
  for (const name of ['tempo', 'loki']) {
    expect(read(`dashboards/stack/${name}/${name}.yml`)).toContain('reporting_enabled: false');
  }
});

it('leaves the ports by which Prometheus could be stopped or emptied closed', () => {
  expect(serviceNamed('prometheus').command?.join()).not.toMatch(/enable-(lifecycle|admin-api)/);
});

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map(name => `${folder}/${name}`)
    .filter(path => isFile(path));
}

function isFile(path: string): boolean {
  try {
    readFileSync(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}
