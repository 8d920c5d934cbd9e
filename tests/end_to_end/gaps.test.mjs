// What came while the hub was away, fetched from the provider's list (guarantees section 2).
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, ownNumber, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';
const texts = async (hub) => (await hub.list('/api/v1/messages?direction=in')).map((message) => message.text).sort();

test('a message that came while the hub was dead appears once, its late webhook included (G3, S4-07)', async (t) => {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url }) } } });
  t.after(async () => { await hub.remove(); await provider.stop(); });
  provider.hold({ from: guest, to: ownNumber, text: 'long ago', at: new Date(Date.now() - 3_600_000) });
  const first = inboundFields({ from: guest, text: 'before' });
  provider.hold({ from: guest, to: ownNumber, text: 'before', sid: first.MessageSid });
  assert.equal((await postHook(hub, '/hooks/sms/message', first)).status, 200);
  await hub.routed();
  await until('the hub knows that it was there', async () => (
    await hub.sql("SELECT last_seen_at FROM channel_state WHERE instance = 'sms' AND last_seen_at > 0")).length === 1);

  await hub.kill();
  const sid = provider.hold({ from: guest, to: ownNumber, text: 'while you were away' });
  await hub.launch();
  await until('it is there', async () => (await texts(hub)).length === 2);
  assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: 'while you were away', sid }))).status, 200);
  await hub.routed();
  assert.deepEqual(await texts(hub), ['before', 'while you were away']);
  const [{ conversations }] = await hub.sql('SELECT count(*) AS conversations FROM conversations');
  assert.equal(conversations, 1);
});

test('a provider without an answer at the start is asked again', async (t) => {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url }) } } });
  t.after(async () => { await hub.remove(); await provider.stop(); });
  await until('the hub knows that it was there', async () => (await hub.sql('SELECT last_seen_at FROM channel_state')).length === 1);
  await hub.kill();
  provider.hold({ from: guest, to: ownNumber, text: 'while you were away' });
  provider.account = { ...provider.account, token: 'of another' };
  await hub.launch();
  await until('the list was refused', () => provider.requests.some((request) => request.method === 'GET' && request.status === 401));
  provider.account = { ...provider.account, token: hub.config.plugins.sms.config.auth_token };
  await until('it is there', async () => (await texts(hub)).length === 1, { seconds: 30 });
});
