// What tests/outsiders/run built with two compilers and two standard libraries, in one running hub; and one of each kind of new plugin.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { Acme, acmeInstance, formType, guest, own, receiveThrough, sendThrough } from '../end_to_end/lib/acme.mjs';
import { send, until } from '../end_to_end/lib/http.mjs';
import { Hub } from '../end_to_end/lib/hub.mjs';
import { binary, judgePackage } from '../end_to_end/lib/places.mjs';

const scratch = process.env.PATCHBAY_OUTSIDERS;
const folders = ['gcc', 'clang', 'new/build'].map((name) => path.join(scratch, name, 'plugins'));

for (const isolation of ['none', 'process']) test(`two toolchains in one hub, isolation: ${isolation}: each sends, receives and is reloaded`, async (t) => {
  const acme = await Acme.start();
  t.after(() => acme.stop());
  const hub = await Hub.start({ config: {
    plugin_path: folders, plugins: { one: acmeInstance('acme_sms', acme.url, isolation), two: acmeInstance('acme_two', acme.url, isolation) },
  } });
  t.after(() => hub.remove());
  for (let round = 1; round <= 3; round += 1) {
    for (const [instance, plugin] of [['one', 'acme_sms'], ['two', 'acme_two']]) {
      await sendThrough(hub, acme, instance, plugin, `round ${round}`);
      await receiveThrough(hub, instance, plugin, `${instance}-${round}`);
      const reloaded = await hub.api('POST', `/api/v1/plugins/${instance}/reload`);
      assert.equal(reloaded.status, 200, reloaded.body);
      assert.equal(reloaded.json.state, 'active');
    }
  }
  const plugins = await hub.list('/api/v1/plugins');
  assert.deepEqual(plugins.map((one) => [one.plugin, one.state, one.isolation, one.generation]),
    [['acme_sms', 'active', isolation, 4], ['acme_two', 'active', isolation, 4]]);
});

test('one new plugin of each kind starts in a hub and does what it is for', async (t) => {
  const acme = await Acme.start();
  t.after(() => acme.stop());
  const hub = await Hub.start({ config: {
    plugin_path: folders,
    plugins: {
      answers: { plugin: 'my_flow', config: { word: 'hello', reply: 'Good day!' } },
      texts: { plugin: 'my_channel', flow: 'answers', config: { token: 'a token', inbound_key: 'a key', from: own, api_base: acme.url } },
      reports: { plugin: 'my_webhook', config: { key: 'another key' } },
      listener: { plugin: 'my_subscriber', config: { url: acme.url, token: 'a token' } },
      counter: { plugin: 'my_app', config: { first: 3 } },
    },
  } });
  t.after(() => hub.remove());
  const plugins = await hub.list('/api/v1/plugins');
  assert.deepEqual(plugins.map((one) => one.state), Array(5).fill('active'), JSON.stringify(plugins));

  const post = (target, key, fields) => send(hub.url, target, { method: 'POST', body: new URLSearchParams(fields).toString(), headers: { ...formType, 'x-api-key': key } });
  assert.equal((await post('/hooks/texts/message', 'a key', { id: 'in-1', from: guest, to: own, text: 'Hello!' })).status, 200);
  assert.equal((await post('/hooks/reports/report', 'another key', { id: 'r1' })).status, 200);
  assert.equal((await post('/hooks/reports/report', 'a key', { id: 'r2' })).status, 401);
  await until('the flow has answered', () => acme.calls.some((call) => call.form.get('text') === 'Good day!'));
  await hub.routed();

  assert.equal((await hub.api('GET', '/api/my_app/count')).json.count, 3);
  assert.equal((await hub.api('POST', '/api/my_app/count')).json.count, 4);
  assert.equal((await hub.api('POST', '/api/v1/plugins/counter/reload')).status, 200);
  assert.equal((await hub.api('GET', '/api/my_app/count')).json.count, 4);
});

test('the schema for editors knows the keys of plugins from outside: it takes their samples and refuses wrong ones', async () => {
  const Ajv = judgePackage('ajv').default ?? judgePackage('ajv');
  const YAML = judgePackage('yaml');
  const file = path.join(scratch, 'all.yaml');
  fs.writeFileSync(file, JSON.stringify({ plugin_path: folders }));
  const { stdout } = await promisify(execFile)(binary, ['config', 'schema', '-c', file], { maxBuffer: 1 << 24 });
  const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(stdout));
  const sources = [path.join(scratch, 'acme_two'), ...['channel', 'webhook', 'flow', 'subscriber', 'app'].map((kind) => path.join(scratch, `new/my_${kind}`))];
  for (const source of sources) {
    const sample = fs.readFileSync(path.join(source, 'sample.yaml'), 'utf8');
    assert.ok(validate(YAML.parse(sample)), `${source}: ${JSON.stringify(validate.errors)}`);
    const wrong = YAML.parse(sample);
    const [instance] = Object.values(wrong.plugins);
    instance.config.no_such_key = 'x';
    assert.ok(!validate(wrong), source);
    assert.match(JSON.stringify(validate.errors), /additionalProperties/);
  }
});
