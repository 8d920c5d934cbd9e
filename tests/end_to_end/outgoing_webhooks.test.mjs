// What the hub tells others of its own accord: at least once, signed, and nobody waits for a receiver that hangs. The signatures are
// judged by the package of Standard Webhooks.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { Receiver } from './lib/receiver.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';

async function world(t, receivers = 1) {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url }) } } });
  const all = [];
  for (let i = 0; i < receivers; i += 1) all.push(await Receiver.start());
  t.after(async () => {
    await hub.remove();
    await provider.stop();
    for (const one of all) await one.stop();
  });
  return { hub, provider, receivers: all };
}

async function subscribe(hub, receiver, events) {
  const made = await hub.api('POST', '/api/v1/webhooks', { url: receiver.url, events });
  assert.equal(made.status, 201, made.body);
  return made.json;
}

const says = (hub, text) => postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text }));
const shown = async (hub, id) => (await hub.api('GET', `/api/v1/webhooks/${id}`)).json;

test('a webhook tells of messages and statuses, signed as the standard says', async (t) => {
  const { hub, receivers: [receiver] } = await world(t);
  const { secret } = await subscribe(hub, receiver, ['message.*']);
  await says(hub, 'Hello');
  const [created] = await until('the message is told', () => (receiver.calls.length > 0 ? receiver.calls : null));
  const event = Receiver.verified(created, secret);
  assert.equal(event.type, 'message.created');
  assert.equal(event.data.message.text, 'Hello');
  assert.match(event.timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.throws(() => Receiver.verified({ ...created, body: created.body.replace('Hello', 'Hallo') }, secret));

  const { json: sent } = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'Welcome' });
  const statuses = await until('its delivery is told', () => {
    const told = receiver.calls.map((call) => Receiver.verified(call, secret))
      .filter((one) => one.type === 'message.status' && one.data.message_id === sent.id).map((one) => one.data.status);
    return told.includes('delivered') ? told : null;
  });
  assert.ok(statuses.includes('accepted') || statuses.includes('sent'), JSON.stringify(statuses));
  assert.equal(receiver.ids().length, receiver.calls.length, 'each has an id of its own');
  assert.ok(!hub.log.includes(secret));
});

test('a webhook is told again under the same id after a failure, and after a kill of the hub', async (t) => {
  const { hub, receivers: [receiver] } = await world(t);
  const { id, secret } = await subscribe(hub, receiver, ['message.created']);
  receiver.answers = [500, 'hang'];
  await says(hub, 'Hello');
  await until('the second try hangs', () => receiver.calls.length === 2, { seconds: 15 });
  assert.ok((await shown(hub, id)).failing_since);
  await hub.kill();
  await hub.launch();
  await until('it is told once more', () => receiver.calls.length >= 3, { seconds: 40 });
  assert.equal(receiver.ids().length, 1, 'the receiver knows repeats by the id');
  for (const call of receiver.calls) assert.equal(Receiver.verified(call, secret).data.message.text, 'Hello');
  receiver.answers = ['hang'];
  const told = receiver.calls.length;
  await says(hub, 'Good night');
  await until('it hangs again', () => receiver.calls.length > told);
  const end = await hub.stop();
  assert.equal(end.code, 0);
  assert.ok(end.seconds < 10, `a stop waits for no receiver: ${end.seconds} s`);
  await hub.launch();
  await until('what was cut is told again', () => receiver.calls.length > told + 1, { seconds: 15 });
  await until('all is well again', async () => (await shown(hub, id)).failing_since === null);
});

test('a receiver that hangs holds up no other, and one that is gone is disabled', async (t) => {
  const { hub, receivers: [slow, good] } = await world(t, 2);
  await subscribe(hub, slow, ['*']);
  const fine = await subscribe(hub, good, ['message.created']);
  slow.answers = Array.from({ length: 1000 }, () => 'hang');
  for (let i = 0; i < 30; i += 1) await says(hub, `Message ${i}`);
  await until('the good one has all of it', () => good.ids().length === 30, { seconds: 15 });
  assert.ok(slow.calls.length <= 4, `the other one has its own four workers: ${slow.calls.length}`);

  good.status = 410;
  await says(hub, 'Farewell');
  const gone = await until('it is disabled', async () => {
    const one = await shown(hub, fine.id);
    return one.enabled ? null : one;
  });
  assert.equal(gone.disabled_reason, 'the receiver answered 410 Gone');
  const before = good.calls.length;
  good.status = 204;
  await says(hub, 'Nobody hears this');
  assert.equal((await hub.api('PATCH', `/api/v1/webhooks/${fine.id}`, { enabled: true })).status, 200);
  await says(hub, 'Back again');
  await until('it is told again', () => good.calls.length > before);
  assert.equal(Receiver.verified(good.calls.at(-1), fine.secret).data.message.text, 'Back again');
});

test('a new secret signs beside the old one', async (t) => {
  const { hub, receivers: [receiver] } = await world(t);
  const made = await subscribe(hub, receiver, ['message.created']);
  const { json: rotated } = await hub.api('PATCH', `/api/v1/webhooks/${made.id}`, { rotate_secret: true });
  assert.notEqual(rotated.secret, made.secret);
  await says(hub, 'Hello');
  const [call] = await until('it is told', () => (receiver.calls.length > 0 ? receiver.calls : null));
  for (const secret of [made.secret, rotated.secret]) assert.equal(Receiver.verified(call, secret).type, 'message.created');
  const rows = await hub.sql('SELECT hex(sealed) AS sealed FROM webhook_secrets');
  assert.equal(rows.length, 2);
  for (const { sealed } of rows) assert.ok(!Buffer.from(sealed, 'hex').includes(made.secret.slice(6)), 'S81: sealed');
});
