// The configuration of a running hub: reloaded whole or not at all, planned, rolled back (G21, F45, F46).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Socket } from './lib/live.mjs';
import { Metrics } from './lib/metrics.mjs';
import { build } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { Use, hangUp, mappedCopies } from './lib/reloading.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';

const replies = (reply) => ({ plugin: 'auto_reply', config: { rules: [{ contains: 'open', reply }] } });

async function place({ plugins = (apiBase) => ({ sms: smsInstance({ apiBase, flow: 'replies' }), replies: replies('9 to 5') }), ...config } = {}) {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { ...config, plugins: plugins(provider.url) } });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

const reload = (hub, body) => hub.api('POST', '/api/v1/config/reload', body);
const plugin = async (hub, name) => (await hub.api('GET', `/api/v1/plugins/${name}`)).json;
const revision = async (hub) => (await hub.api('GET', '/api/v1/config')).json.revision;
/** Only what changes: {sms: ['replace', 'config.x']}. */
const changes = (plan) => Object.fromEntries(plan.filter((one) => one.action !== 'none').map((one) => [one.instance ?? 'hub', [one.action, ...one.changed]]));

test('reloads under load by SIGHUP: no call fails, nothing is lost or doubled, every copy goes (F45, G21)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const token = await hub.token();
  const use = new Use(hub, token);
  const reloads = 25;
  for (let n = 1; n <= reloads; n += 1) {
    hub.config.plugins.sms.config.number_aliases = [`+1415555${2700 + n}`];
    hub.config.plugins.replies = replies(`${n} to 5`);
    hub.writeConfig();
    await hangUp(hub);
  }
  await use.stop();
  const { failed, lost, doubled, calls, sends, webhooks } = await use.account(provider);
  assert.deepEqual({ failed, lost, doubled }, { failed: [], lost: [], doubled: [] });
  assert.ok(calls > reloads && sends > 0 && webhooks > 0, JSON.stringify({ calls, sends, webhooks }));
  assert.equal((await plugin(hub, 'sms')).generation, 1 + reloads);
  assert.deepEqual([(await plugin(hub, 'sms')).resident, (await plugin(hub, 'sms')).last_error], [0, null]);
  assert.equal((await plugin(hub, 'replies')).generation, 1, 'its keys are live');
  assert.equal(await revision(hub), 1 + reloads);
  await until('every old copy is unmapped', () => mappedCopies(hub).length === 2);
});

describe('a file with mistakes changes nothing (F46)', () => {
  const mistakes = [
    { name: 'broken YAML', text: (text) => text.replace('"plugins": {', '"plugins": {{'), says: /patchbay\.yaml:\d+:\d+: / },
    { name: 'an unknown key', text: (text) => text.replace('"default_from"', '"defalt_from"'), says: /patchbay\.yaml:\d+:\d+: plugins\.sms\.config\.defalt_from: unknown key, did you mean "default_from"\?/ },
    { name: 'a missing secret', text: (text) => text.replace(/"auth_token": "[^"]*"/, '"auth_token": "${file:no/such/token}"'), says: /patchbay\.yaml:\d+:\d+: plugins\.sms\.config\.auth_token: .*no\/such\/token/ },
    { name: 'a missing plugin', text: (text) => text.replace('"auto_reply"', '"auto_repli"'), says: /patchbay\.yaml:\d+:\d+: plugins\.replies\.plugin: no plugin is called "auto_repli", did you mean "auto_reply"\?/ },
  ];
  for (const { name, text, says } of mistakes) {
    test(name, async (t) => {
      const { hub, provider, remove } = await place();
      t.after(remove);
      const good = fs.readFileSync(hub.configFile, 'utf8');
      await hub.token();
      fs.writeFileSync(hub.configFile, text(good));
      await hangUp(hub);
      assert.match(hub.log, says);
      assert.match(hub.log, /config: the configuration was not reloaded, the one before serves on .*code=config_invalid/);

      const asked = await reload(hub);
      assert.deepEqual([asked.status, asked.json.code, asked.json.applied, asked.json.revision], [422, 'config_invalid', false, 1], asked.body);
      const [problem] = asked.json.problems;
      assert.match(`${problem.file}:${problem.line}:${problem.column}: ${problem.path}: ${problem.message}`, says);

      const cli = await hub.cli(['config', 'reload']);
      assert.equal(cli.code, 3, cli.stderr);
      assert.match(cli.stderr, says);
      assert.match(cli.stderr, /revision 1 serves on/);

      assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: 'are you open?' }))).status, 200);
      await until('the flow answers', () => provider.receipts.some((receipt) => receipt.body === '9 to 5'));
      assert.equal((await plugin(hub, 'sms')).generation, 1);
    });
  }
});

test('an instance that cannot run holds all others back (G21)', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  hub.config.plugins.replies = replies('never');
  hub.config.plugins.twice = smsInstance({ aliases: {}, config: { auth_token: '' } });
  hub.writeConfig();
  const { status, json, body } = await reload(hub);
  assert.deepEqual([status, json.applied, json.revision], [422, false, 1], body);
  assert.deepEqual((await hub.list('/api/v1/plugins')).map((one) => one.instance).sort(), ['replies', 'sms']);
  assert.equal((await postHook(hub, '/hooks/twice/message', inboundFields({ from: guest, text: 'x' }))).status, 404);
});

test('the plan tells what starts, stops and changes, and a live key makes no new generation (G21)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  hub.config.plugins.replies = replies('10 to 6');
  hub.config.plugins.sms.config.number_aliases = ['+14155552799'];
  hub.config.plugins.sms.limits = { concurrency: 3 };
  hub.config.plugins.sales = smsInstance({ apiBase: provider.url, aliases: {} });
  hub.config.departments = ['Reception', 'Spa'];
  hub.writeConfig();
  const expected = {
    hub: ['reconfigure', 'departments'],
    sms: ['replace', 'config.number_aliases[0]', 'config.number_aliases[]', 'limits.concurrency'],
    replies: ['reconfigure', 'config.rules[0].reply'],
    sales: ['start'],
  };
  const planned = await hub.api('POST', '/api/v1/config/check');
  assert.deepEqual(changes(planned.json.plan), expected, planned.body);
  const printed = await hub.cli(['config', 'reload', '--dry-run']);
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, /\(hub\) +reconfigure +departments\n/);
  assert.match(printed.stdout, /sms +replace +config\.number_aliases\[0\] config\.number_aliases\[\] limits\.concurrency\n/);
  assert.match(printed.stdout, /sales +start/);
  assert.equal((await plugin(hub, 'sms')).generation, 1, 'a plan changes nothing');

  const socket = await Socket.of(hub);
  await socket.subscribe('plugins');
  const applied = await hub.cli(['config', 'reload']);
  assert.equal(applied.code, 0, applied.stderr);
  assert.match(applied.stdout, /revision 2 runs/);
  const told = await socket.event('config.reloaded');
  socket.ws.terminate();
  assert.equal(told.data.revision, 2);
  assert.deepEqual(changes(told.data.plan), expected);
  assert.deepEqual([(await plugin(hub, 'sms')).generation, (await plugin(hub, 'replies')).generation], [2, 1]);
  const ran = await hub.api('POST', '/api/v1/flows/replies/dry-run', { messages: ['Are you open?'] });
  assert.deepEqual(ran.json.steps[0].texts, ['10 to 6']);
  assert.deepEqual((await hub.list('/api/v1/departments')).map((one) => one.name), ['Reception', 'Spa']);

  const [record] = await hub.list('/api/v1/audit?action=config.reload');
  assert.deepEqual([record.object.type, record.object.id, changes(record.after.plan).sales], ['config', '2', ['start']], JSON.stringify(record));
  const metrics = await Metrics.of(hub);
  assert.match(metrics.text, /patchbay_config_revision 2\n/);
  assert.match(metrics.text, /patchbay_config_reloads_total\{result="applied"\} 1\n/);
  const again = await reload(hub);
  assert.deepEqual([again.status, again.json.revision, again.json.plan], [200, 2, []], 'nothing is different');
});

test('a new instance serves, a removed one gives its paths back, and what is queued for it waits until it is back', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const sales = smsInstance({ apiBase: provider.url, aliases: { message: ['/own/path'] } });
  hub.config.plugins.sales = sales;
  hub.writeConfig();
  assert.equal((await reload(hub)).status, 200);
  assert.equal((await postHook(hub, '/own/path', inboundFields({ from: guest, text: 'new' }))).status, 200);
  await hub.routed();
  assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sales', to: guest, text: 'first' })).status, 202);
  await until('it sends', () => provider.receipts.some((one) => one.body === 'first'));

  assert.equal((await hub.api('POST', '/api/v1/plugins/sales/disable')).status, 200);
  assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sales', to: guest, text: 'later' })).status, 202);
  assert.equal((await postHook(hub, '/hooks/sales/message', inboundFields({ from: guest, text: 'meanwhile' }))).status, 200);
  delete hub.config.plugins.sales;
  hub.writeConfig();
  const gone = await reload(hub);
  assert.deepEqual(changes(gone.json.plan), { sales: ['stop'] }, gone.body);
  assert.equal((await hub.api('GET', '/api/v1/plugins/sales')).status, 404);
  assert.equal((await postHook(hub, '/own/path', inboundFields({ from: guest, text: 'too late' }))).status, 404);
  assert.equal((await postHook(hub, '/hooks/sales/message', inboundFields({ from: guest, text: 'too late' }))).status, 404);
  assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sales', to: guest, text: 'x' })).status, 422);
  const queued = await hub.list('/api/v1/deliveries?channel=sales&state=ready');
  assert.equal(queued.length, 1, 'it is still seen');
  assert.ok(!mappedCopies(hub).some((copy) => copy.includes('twilio_sms') && mappedCopies(hub).length > 2));

  hub.config.plugins.sales = sales;
  hub.writeConfig();
  assert.equal((await reload(hub)).status, 200);
  await until('what waited goes out', () => provider.receipts.some((one) => one.body === 'later'));
  await hub.routed();
  assert.equal((await hub.list('/api/v1/messages?direction=in&channel=sales')).filter((one) => one.text === 'meanwhile').length, 1);
});

test('an earlier revision runs again, and the file stays as it is', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  const texts = async () => (await hub.api('POST', '/api/v1/flows/replies/dry-run', { messages: ['Are you open?'] })).json.steps[0].texts;
  hub.config.plugins.replies = replies('never');
  hub.writeConfig();
  assert.equal((await reload(hub)).json.revision, 2);
  assert.deepEqual(await texts(), ['never']);
  const back = await hub.cli(['config', 'rollback']);
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stdout, /replies +reconfigure/);
  assert.match(back.stdout, /revision 3 runs/);
  assert.match(back.stderr, /patchbay\.yaml is as it was: mend it/);
  assert.deepEqual(await texts(), ['9 to 5']);
  assert.match(fs.readFileSync(hub.configFile, 'utf8'), /never/);
  const forth = await reload(hub, { revision: 2 });
  assert.deepEqual([forth.status, forth.json.revision], [200, 4]);
  assert.deepEqual(await texts(), ['never']);
  assert.equal((await reload(hub, { revision: 99 })).json.code, 'unknown_id');
  assert.equal((await reload(hub, { revision: 'two' })).status, 422);
  assert.equal(fs.statSync(path.join(hub.folder, 'var/revisions/1.yaml')).mode & 0o777, 0o600);

  await hub.stop();
  await hub.launch();
  assert.equal(await revision(hub), 4, 'the same text is the same revision after a restart');
});

test('what a running hub cannot follow is refused as a whole, with its place', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  hub.config.plugins.replies = replies('never');
  hub.config.server.allowed_hosts = ['hub.example'];
  hub.config.log.format = 'json';
  hub.writeConfig();
  const { status, json, body } = await reload(hub);
  assert.deepEqual([status, json.code, json.applied, json.revision], [409, 'restart_needed', false, 1], body);
  assert.deepEqual(json.problems.map((one) => one.path), ['server.allowed_hosts', 'log.format']);
  assert.ok(json.problems.every((one) => one.line > 1 && one.column > 0), body);
  assert.deepEqual(changes(json.plan).hub, ['restart', 'server.allowed_hosts', 'log.format']);
  assert.equal((await hub.api('POST', '/api/v1/config/check')).json.valid, true);
  const ran = await hub.api('POST', '/api/v1/flows/replies/dry-run', { messages: ['Are you open?'] });
  assert.deepEqual(ran.json.steps[0].texts, ['9 to 5']);
  await hub.stop();
  const cli = await hub.cli(['config', 'reload']);
  assert.equal(cli.code, 5, 'no server runs');
});

test('the level of the log and the origins of pages change in place', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  const origin = 'https://console.example';
  const allowed = async () => (await hub.api('GET', '/api/v1/departments', undefined, { headers: { origin } })).headers['access-control-allow-origin'];
  assert.equal(await allowed(), undefined);
  hub.config.server.cors_origins = [origin];
  hub.config.log.level = 'warn';
  hub.writeConfig();
  assert.equal((await reload(hub)).status, 200);
  assert.equal(await allowed(), origin);
  const before = hub.log.length;
  await hub.api('GET', '/api/v1/departments');
  assert.equal(hub.log.slice(before).includes('access: request'), false);
});

test('one reload at a time; the second is told so', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  let answer;
  provider.rule({ delayMs: new Promise(() => {}), raw: (socket) => { answer = () => socket.destroy(); } });
  assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'slow' })).status, 202);
  await until('a call is in the old generation', () => answer);
  hub.config.plugins.sms.config.number_aliases = ['+14155552799'];
  hub.writeConfig();
  const first = reload(hub);
  await until('the new one serves', async () => (await plugin(hub, 'sms')).generation === 2);
  const second = await reload(hub);
  assert.deepEqual([second.status, second.json.code], [409, 'reload_running'], second.body);
  for (const action of ['disable', 'reload']) {
    assert.equal((await hub.api('POST', `/api/v1/plugins/replies/${action}`)).json.code, 'reload_running', action);
  }
  answer();
  assert.equal((await first).status, 200);
});

test('a library that was replaced is loaded by a reload, and the one before comes back', async (t) => {
  const folder = fs.mkdtempSync('/tmp/patchbay-plugins-');
  t.after(() => fs.rmSync(folder, { recursive: true }));
  for (const name of ['twilio_sms', 'auto_reply']) fs.copyFileSync(path.join(build, `plugins/${name}.so`), path.join(folder, `${name}.so`));
  const { hub, remove } = await place({ plugin_path: [folder] });
  t.after(remove);
  const file = path.join(folder, 'twilio_sms.so');
  const none = await hub.cli(['plugin', 'reload', 'sms', '--back']);
  assert.equal(none.code, 3);
  assert.match(none.stderr, /no other version is kept.*\(plugin_failed\)/);
  fs.appendFileSync(file, 'another');
  const { json } = await reload(hub);
  assert.deepEqual(changes(json.plan), { sms: ['replace', 'file'] });
  const back = await hub.cli(['plugin', 'reload', 'sms', '--back']);
  assert.equal(back.code, 0, back.stderr);
  assert.match(back.stdout, /sms is active: twilio_sms .*, generation 3/);
  assert.deepEqual(changes((await reload(hub)).json.plan), {}, 'what was turned down stays so');

  fs.writeFileSync(file, 'no library');
  const broken = await hub.api('POST', '/api/v1/plugins/sms/reload');
  assert.deepEqual([broken.status, broken.json.code], [409, 'plugin_failed']);
  assert.match((await plugin(hub, 'sms')).last_error, /not a library/);
  assert.equal((await plugin(hub, 'sms')).state, 'active');
});

test('an instance that is disabled under load keeps all that comes, and goes on with it (architecture 10.12)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const token = await hub.token();
  const use = new Use(hub, token, { callers: 0, phones: 3 });
  const texts = [];
  const sendOne = async (text) => {
    const { status, body } = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text });
    assert.equal(status, 202, body);
    texts.push(text);
  };
  for (let round = 1; round <= 3; round += 1) {
    await sendOne(`on ${round}`);
    const off = await hub.cli(['plugin', 'disable', 'sms']);
    assert.equal(off.code, 0, off.stderr);
    assert.match(off.stdout, /sms is disabled/);
    const sent = provider.receipts.length;
    const taken = use.webhooks.length;
    for (let n = 0; n < 5; n += 1) await sendOne(`off ${round} ${n}`);
    await until('webhooks are taken all the same', () => use.webhooks.length > taken + 5);
    assert.equal(provider.receipts.length, sent, 'nothing goes out');
    assert.equal((await plugin(hub, 'sms')).state, 'disabled');
    assert.equal((await hub.api('GET', '/api/v1/plugins/sms/health')).json.state, 'down');
    assert.match((await Metrics.of(hub)).text, /patchbay_plugin_state\{instance="sms",state="disabled"\} 1\n/);
    assert.equal((await hub.cli(['plugin', 'enable', 'sms'])).code, 0);
  }
  await use.stop();
  const { failed, lost, doubled, webhooks } = await use.account(provider);
  assert.deepEqual({ failed, lost, doubled }, { failed: [], lost: [], doubled: [] });
  assert.ok(webhooks > 15);
  await until('all sends are out', () => texts.every((text) => provider.receipts.some((one) => one.body === text)));
  for (const text of texts) assert.equal(provider.receipts.filter((one) => one.body === text).length, 1, text);
});

test('an instance tells the schema of its block and its health', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  const schema = await hub.api('GET', '/api/v1/plugins/sms/schema');
  assert.equal(schema.status, 200, schema.body);
  assert.equal(schema.json.properties.auth_token.description, 'Auth token; signs webhooks and calls');
  assert.deepEqual(schema.json.required, ['account_sid', 'auth_token']);
  const health = await hub.api('GET', '/api/v1/plugins/sms/health');
  assert.deepEqual([health.status, health.json], [200, { state: 'up', text: '', checks: {} }]);
  for (const name of ['schema', 'health']) {
    assert.equal((await hub.api('GET', `/api/v1/plugins/none/${name}`)).status, 404);
    assert.equal((await hub.api('GET', `/api/v1/plugins/sms/${name}`, undefined, { role: 'agent' })).status, 403);
  }
});
