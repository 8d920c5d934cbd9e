// The verbs of the command line that operators and scripts rely on (architecture.md section 6): what they print and how they end.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';

const guest = '+15558675310';

describe('the command line', () => {
  let provider;
  let hub;
  before(async () => {
    provider = await Provider.start();
    hub = await Hub.start({
      config: {
        plugins: {
          sms: smsInstance({ apiBase: provider.url, flow: 'replies' }),
          replies: { plugin: 'auto_reply', config: { rules: [{ equals: 'ping', reply: 'pong' }] } },
        },
      },
    });
  });
  after(async () => { await hub?.remove(); await provider?.stop(); });

  const done = async (args, options) => {
    const result = await hub.cli(args, options);
    assert.equal(result.code, 0, `${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const json = async (args) => JSON.parse(await done([...args, '--output', 'json']));

  test('config validate: 0 and quiet problems where there are none', async () => {
    await done(['config', 'validate']);
  });

  test('config validate: every mistake with file, line and column, exit 1', async (t) => {
    const good = hub.config;
    t.after(() => { hub.config = good; hub.writeConfig(); });
    const mistakes = async (instance) => {
      hub.config = { ...good, plugins: { sms: { plugin: 'twilio_sms', ...instance } } };
      hub.writeConfig();
      const { code, stdout, stderr } = await hub.cli(['config', 'validate']);
      assert.equal(code, 1);
      return (stdout + stderr).split('\n').filter((line) => /patchbay\.yaml:\d+:\d+: /.test(line)).join('\n');
    };
    const told = await mistakes({ colour: 'red', signatures: 'maybe', config: { account_sid: 'SK0123456789abcdef0123456789abcdef', auth_tokn: 'x' } });
    for (const key of ['colour', 'signatures', 'config.account_sid', 'config: "auth_token" is missing', 'did you mean "auth_token"']) {
      assert.ok(told.includes(key), `${key} in\n${told}`);
    }
    const lines = told.split('\n').map((line) => Number(line.match(/patchbay\.yaml:(\d+):/)[1]));
    assert.deepEqual(lines, [...lines].sort((a, b) => a - b), 'in the order of the file');
  });

  test('config validate: the line with a mark below it, when asked for', async (t) => {
    const good = hub.config;
    t.after(() => { hub.config = good; hub.writeConfig(); });
    hub.config = { ...good, colour: 'red' };
    hub.writeConfig();
    const { code, stderr } = await hub.cli(['config', 'validate', '--context', 'always']);
    assert.equal(code, 1);
    assert.match(stderr, /: colour: unknown key\n +\d+ \| +"colour": "red".*\n +\| +\^\n/);
    assert.doesNotMatch((await hub.cli(['config', 'validate'])).stderr, /\^/);
  });

  test('config validate: the same as JSON', async (t) => {
    const good = hub.config;
    t.after(() => { hub.config = good; hub.writeConfig(); });
    hub.config = { ...good, stroe: {} };
    hub.writeConfig();
    const { code, stdout } = await hub.cli(['config', 'validate', '--output', 'json']);
    assert.equal(code, 1);
    const { valid, problems } = JSON.parse(stdout);
    assert.equal(valid, false);
    const [unknown] = problems.filter((one) => one.severity === 'error');
    assert.deepEqual([unknown.path, unknown.code, unknown.hint], ['stroe', 'unknown_key', 'store']);
    assert.ok(unknown.file.endsWith('patchbay.yaml') && unknown.line > 0 && unknown.column > 0);
    assert.match(unknown.message, /did you mean "store"/);
  });

  test('serve: refuses what it would leave out, exit 3', async (t) => {
    const good = hub.config;
    t.after(() => { hub.config = good; hub.writeConfig(); });
    hub.config = { ...good, media: { url: 's3://bucket?region=eu-central-1' } };
    hub.writeConfig();
    const { code, stderr } = await hub.cli(['serve']);
    assert.equal(code, 3);
    assert.match(stderr, /media\.url is not served by this version: /);
  });

  test('config show: secrets as ***', async () => {
    const shown = await done(['config', 'show']);
    assert.ok(shown.includes('twilio_sms'));
    assert.ok(shown.includes('***'));
    assert.ok(!shown.includes(hub.config.plugins.sms.config.auth_token));
  });

  test('user add: takes the password from standard input; without one prints a one-time link', async () => {
    await done(['user', 'add', '--email', 'ann@example.com', '--name', 'Ann Lee', '--role', 'agent', '--department', 'Reception', '--password-stdin'],
      { input: 'correct horse battery staple\n' });
    const signedIn = await hub.api('POST', '/api/v1/auth/login', { email: 'ann@example.com', password: 'correct horse battery staple' }, { role: null });
    assert.equal(signedIn.status, 200, signedIn.body);
    assert.equal(signedIn.json.user.role, 'agent');
    const link = await done(['user', 'add', '--email', 'bo@example.com', '--name', 'Bo Lind', '--role', 'viewer']);
    assert.match(link, /https?:\/\/\S+/);
  });

  test('user add: an address that is taken is refused, exit 3', async () => {
    const args = ['user', 'add', '--email', 'twice@example.com', '--name', 'Twice', '--role', 'agent'];
    await done(args);
    assert.equal((await hub.cli(args)).code, 3);
  });

  test('token: prints one that the API takes; an unknown user is exit 4', async () => {
    assert.equal((await hub.api('GET', '/api/v1/auth/me')).status, 200);
    assert.equal((await hub.cli(['token', '--email', 'nobody@example.com'])).code, 4);
  });

  test('plugin list: what is loaded, in both forms', async () => {
    assert.match(await done(['plugin', 'list']), /sms\s.*twilio_sms/);
    const listed = await json(['plugin', 'list']);
    const items = listed.items ?? listed;
    assert.deepEqual(items.map((item) => [item.instance, item.plugin, item.state]).sort(),
      [['replies', 'auto_reply', 'active'], ['sms', 'twilio_sms', 'active']]);
  });

  test('send: queues, prints the id, follows the status', async () => {
    const printed = await done(['send', '--channel', 'sms', '--to', guest, '--text', 'From the shell']);
    const [id] = printed.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/);
    await until('it is delivered', async () => (await hub.api('GET', `/api/v1/messages/${id}`)).json.status === 'delivered');
    assert.equal(provider.receipts.at(-1).body, 'From the shell');
    assert.match(await done(['send', '--channel', 'sms', '--to', guest, '--text', 'And wait', '--follow']), /delivered/);
  });

  test('send: a number that is none is refused, exit 3; an unknown channel too or exit 4', async () => {
    assert.equal((await hub.cli(['send', '--channel', 'sms', '--to', 'nobody', '--text', 'x'])).code, 3);
    assert.ok([3, 4].includes((await hub.cli(['send', '--channel', 'pigeon', '--to', guest, '--text', 'x'])).code));
  });

  test('trigger: makes, signs and posts the webhook of a provider', async () => {
    const before = provider.receipts.length;
    await done(['trigger', 'sms.message', '--from', guest, '--text', 'ping']);
    await until('the flow answered', () => provider.receipts.length > before);
    assert.deepEqual([provider.receipts.at(-1).to, provider.receipts.at(-1).body], [guest, 'pong']);
  });

  test('trigger: an unknown route is exit 4', async () => {
    assert.equal((await hub.cli(['trigger', 'sms.nothing', '--text', 'x'])).code, 4);
  });

  test('events list and deliveries list: newest first, with instance and state', async () => {
    const events = await json(['events', 'list', '--since', '1h']);
    assert.ok((events.items ?? events).length > 0);
    assert.match(await done(['events', 'list', '--since', '1h']), /sms/);
    const deliveries = await json(['deliveries', 'list', '--since', '1h', '--channel', 'sms']);
    const items = deliveries.items ?? deliveries;
    assert.ok(items.length >= 3);
    assert.ok(items.every((item) => item.state));
    assert.deepEqual((await json(['deliveries', 'list', '--state', 'dead'])).items ?? [], []);
  });

  test('a wrong word is exit 2 and shows how it is used', async () => {
    const { code, stdout, stderr } = await hub.cli(['deliveries', 'juggle']);
    assert.equal(code, 2);
    assert.ok((stdout + stderr).length > 0);
  });

  test('a second server on the same data refuses with the reason (F64)', async () => {
    const { code, stdout, stderr } = await hub.cli(['serve']);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /in use|lock|already|pid/i);
  });

  test('works on the stored data while no server runs', async (t) => {
    await hub.stop();
    t.after(() => hub.launch());
    assert.ok(((await json(['events', 'list'])).items ?? []).length >= 0);
    const { code } = await hub.cli(['send', '--channel', 'sms', '--to', guest, '--text', 'nobody serves', '--follow']);
    assert.ok([0, 5].includes(code), `exit ${code}`);
  });
});
