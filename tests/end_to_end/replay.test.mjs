// Webhooks taken to their plugin once more, by the verb and over the API: what has had its effects has none again (G24, F37).
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const replies = { plugin: 'auto_reply', config: { rules: [{ contains: 'open', reply: 'From 9 to 5' }] } };

async function world(t) {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url, flow: 'replies' }), replies } } });
  t.after(async () => { await hub.remove(); await provider.stop(); });
  return { hub, provider };
}

const counts = async (hub) => (await hub.sql('SELECT (SELECT count(*) FROM messages) AS messages, (SELECT count(*) FROM events) AS events, '
  + '(SELECT count(*) FROM contacts) AS contacts, (SELECT count(*) FROM jobs WHERE kind = \'send\') AS sends'))[0];

async function hear(hub, count, text = 'Are you open?') {
  for (let i = 0; i < count; i += 1) {
    const answer = await postHook(hub, '/hooks/sms/message', inboundFields({ from: `+1555867${String(1000 + (i % 40))}`, text: `${text} ${i}` }));
    assert.equal(answer.status, 200);
  }
  await hub.routed();
}

const ended = (hub, id) => until('the replay ends', async () => {
  const { json } = await hub.api('GET', `/api/v1/jobs/${id}`);
  return json.status === 'running' ? null : json;
}, { seconds: 300 });

test('F37 a replay of all that came has no new effect, shows how far it is, and goes on after a stop and a kill', async (t) => {
  const { hub } = await world(t);
  await hear(hub, 120);
  // 10,000 webhooks: copies of those, as a provider that repeats itself would have sent them.
  await hub.stop();
  await hub.changeDatabase(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 84)
    INSERT INTO ingress(id, instance, route, method, url, headers, body, remote, received_at, state, routed_at)
    SELECT id + i * 16384, instance, route, method, url, headers, body, remote, received_at, 'routed', routed_at FROM ingress, n;
    DELETE FROM ingress WHERE id IN (SELECT id FROM ingress ORDER BY id DESC LIMIT max(0, (SELECT count(*) FROM ingress) - 10000))`);
  await hub.launch();
  const [{ kept }] = await hub.sql('SELECT count(*) AS kept FROM ingress');
  assert.equal(kept, 10_000);
  const before = await counts(hub);

  const started = await hub.api('POST', '/api/v1/ingress/replay', { instance: 'sms' });
  assert.equal(started.status, 202, started.body);
  const { id, total } = started.json.job;
  assert.equal(total, kept);
  const moving = await until('some are replayed', async () => {
    const { json } = await hub.api('GET', `/api/v1/jobs/${id}`);
    return json.duplicates > 0 ? json : null;
  });
  assert.equal(moving.queued, total - moving.duplicates);
  const stopped = await hub.api('POST', `/api/v1/jobs/${id}/stop`);
  assert.equal(stopped.json.status, 'stopped', stopped.body);
  await until('it stands still', async () => {
    const one = (await hub.api('GET', `/api/v1/jobs/${id}`)).json.duplicates;
    await new Promise((go) => { setTimeout(go, 300); });
    return (await hub.api('GET', `/api/v1/jobs/${id}`)).json.duplicates === one;
  });

  assert.equal((await hub.api('POST', '/api/v1/ingress/replay', { resume: id })).status, 202);
  await hub.kill();
  await hub.launch();
  const done = await ended(hub, id);
  assert.deepEqual([done.status, done.duplicates, done.successful, done.failed, done.queued], ['done', total, 0, 0, 0]);
  assert.deepEqual(await counts(hub), before, '0 new effects');
});

test('the verb shows how far it is, and a forced replay marks what it does (G24)', async (t) => {
  const { hub, provider } = await world(t);
  provider.statuses = [];  // Callbacks are webhooks too.
  await hear(hub, 3);
  await until('each is answered', () => provider.receipts.length === 3);
  const plain = await hub.cli(['events', 'replay', '--instance', 'sms']);
  assert.equal(plain.code, 0, plain.stderr);
  assert.match(plain.stdout, /3 of 3 replayed, 0 with new effects, 3 without, 0 failed\n/);
  assert.match(plain.stdout, /done\n$/);

  const forced = await hub.cli(['events', 'replay', '--instance', 'sms', '--force', '--output', 'json']);
  const job = JSON.parse(forced.stdout);
  assert.equal(job.successful, 3, forced.stdout);
  await until('each is answered once more', () => provider.receipts.length === 6);
  const marked = (await hub.list('/api/v1/messages')).filter((message) => message.attributes.forced_replay === job.id);
  assert.deepEqual(marked.map((message) => message.direction).sort(), ['in', 'in', 'in', 'out', 'out', 'out']);
  const [{ events }] = await hub.sql('SELECT count(*) AS events FROM events WHERE forced = 1');
  assert.equal(events, 3);
  const audit = await hub.sql("SELECT action, after FROM audit WHERE action = 'ingress.replay' ORDER BY seq");
  assert.deepEqual(audit.map((record) => JSON.parse(record.after).force), [false, true]);

  const none = await hub.cli(['events', 'replay']);
  assert.equal(none.code, 3, none.stdout);
  await hub.stop();
  const off = await hub.cli(['events', 'replay', '--instance', 'sms']);
  assert.equal(off.code, 5);
  assert.match(off.stderr, /server/);
});
