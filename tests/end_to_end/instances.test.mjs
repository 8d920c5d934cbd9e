// Instances that are switched off, cannot start, or want what another one has.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, ownNumber, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';

async function place(plugins) {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { plugins: plugins(provider.url) } });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

const channel = async (hub, name) => (await hub.list('/api/v1/channels')).find((one) => one.name === name);

test('a disabled channel keeps what comes in and what is to go out until it is enabled (architecture 10.12)', async (t) => {
  const { hub, provider, remove } = await place((apiBase) => ({ sms: smsInstance({ apiBase, enabled: false }) }));
  t.after(remove);
  const fields = inboundFields({ from: guest, text: 'anybody there?' });
  const answer = await postHook(hub, '/hooks/sms/message', fields);
  assert.equal(answer.status, 200);
  assert.equal(answer.body, '<?xml version="1.0" encoding="UTF-8"?><Response/>');
  assert.equal((await postHook(hub, '/hooks/sms/message', fields, { token: 'of another' })).status, 401, 'it is still checked');
  assert.deepEqual((await hub.list('/api/v1/ingress')).map((row) => row.state), ['received']);

  const sent = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'later' });
  assert.equal(sent.status, 202, sent.body);
  assert.equal((await hub.api('GET', `/api/v1/messages/${sent.json.id}`)).json.status, 'queued');
  const { state, queued, webhooks } = await channel(hub, 'sms');
  assert.deepEqual({ state, queued, message: webhooks.message }, { state: 'disabled', queued: 1, message: `${hub.url}/hooks/sms/message` });
  const own = await hub.api('POST', '/api/sms/send/', { to_phone: guest, message: 'at once' });
  assert.equal(own.status, 503);
  assert.equal(own.json.code, 'channel_unavailable');
  assert.equal(own.headers['retry-after'], '30');

  await hub.stop();
  assert.equal(provider.receipts.length, 0);
  hub.config.plugins.sms.enabled = true;
  hub.writeConfig();
  await hub.launch();
  await until('it goes out', () => provider.receipts.length === 1);
  await hub.routed();
  const [inbound] = await hub.list('/api/v1/messages?direction=in');
  assert.equal(inbound.text, 'anybody there?');
});

test('an instance is switched off and on while the hub runs', async (t) => {
  const { hub, provider, remove } = await place((apiBase) => ({ sms: smsInstance({ apiBase }) }));
  t.after(remove);
  const off = await hub.api('POST', '/api/v1/plugins/sms/disable');
  assert.deepEqual([off.status, off.json.state, off.json.enabled], [200, 'disabled', false]);
  assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: 'meanwhile' }))).status, 200);
  assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'later' })).status, 202);
  assert.deepEqual((await hub.list('/api/v1/ingress')).map((row) => row.state), ['received']);
  assert.equal(provider.receipts.length, 0);
  const on = await hub.api('POST', '/api/v1/plugins/sms/enable');
  assert.deepEqual([on.status, on.json.state, on.json.enabled], [200, 'active', true]);
  await hub.routed();
  await until('it goes out', () => provider.receipts.length === 1);
  const again = await hub.api('POST', '/api/v1/plugins/sms/reload');
  assert.deepEqual([again.status, again.json.state, again.json.generation], [200, 'active', on.json.generation + 1]);
  assert.equal((await hub.api('POST', '/api/v1/plugins/sms/disable', undefined, { role: 'agent' })).status, 403);
  assert.equal((await hub.api('POST', '/api/v1/plugins/none/enable')).status, 404);
});

test('a channel that cannot start keeps its sends and says why', async (t) => {
  const { hub, remove } = await place((apiBase) => ({ sms: smsInstance({ apiBase, config: { account_sid: 'none' } }) }));
  t.after(remove);
  const sent = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'later' });
  assert.equal(sent.status, 202, sent.body);
  const { state, queued, health } = await channel(hub, 'sms');
  assert.deepEqual({ state, queued, health }, { state: 'failed', queued: 1, health: 'down' });
  assert.match((await hub.api('GET', '/api/v1/plugins/sms')).json.last_error, /account_sid/);
  const enabled = await hub.api('POST', '/api/v1/plugins/sms/enable');
  assert.deepEqual([enabled.status, enabled.json.code], [409, 'plugin_failed']);
  assert.match(enabled.json.errors[0].detail, /patchbay\.yaml:\d+:\d+: plugins\.sms\.config\.account_sid/);
  const resumed = await hub.api('POST', '/api/v1/channels/sms/resume');
  assert.equal(resumed.status, 200, resumed.body);
});

test('of two instances of one plugin the first has the printed paths, and the second works by its own', async (t) => {
  const other = '+14155552672';
  const { hub, provider, remove } = await place((apiBase) => ({
    sms: smsInstance({ apiBase }),
    sales: smsInstance({ apiBase, aliases: {}, config: { default_from: other } }),
  }));
  t.after(remove);
  assert.match(hub.log, /sales is without POST \/api\/sms\/send\/, which sms has/);
  const sent = await hub.api('POST', '/api/sms/send/', { to_phone: guest, message: 'by path' });
  assert.equal(sent.status, 201, sent.body);
  assert.equal(sent.json.from_phone, ownNumber);
  assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sales', to: guest, text: 'by name' })).status, 202);
  await until('the second one sends too', () => provider.receipts.some((receipt) => receipt.from === other));
  for (const name of ['sms', 'sales']) {
    assert.equal((await postHook(hub, `/hooks/${name}/message`, inboundFields({ from: guest, text: name }))).status, 200);
  }
  await hub.routed();
  assert.deepEqual((await hub.list('/api/v1/messages?direction=in')).map((one) => one.channel).sort(), ['sales', 'sms']);
});

test('an alias that two instances are given is a mistake of the file, at start and in config validate', async (t) => {
  const { hub, remove } = await place((apiBase) => ({ sms: smsInstance({ apiBase }) }));
  t.after(remove);
  await hub.stop();
  hub.config.plugins.sales = smsInstance();
  hub.writeConfig();
  const checked = await hub.cli(['config', 'validate']);
  assert.equal(checked.code, 1);
  assert.match(checked.stderr, /plugins\.sales\.aliases\.status\[0\].*\/webhooks\/sms\/twilio.* belongs to plugins\.sms already/);
  await assert.rejects(hub.launch(), /belongs to plugins\.sms already/);
});
