// Bulk sends against a provider that counts (S73).
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';

const number = (i) => `+1555867${1000 + i}`;
const numbers = (count) => Array.from({ length: count }, (_, i) => number(i));

async function place(limits = {}) {
  const provider = await Provider.start();
  const hub = await Hub.start({
    config: { log: { level: 'warn', format: 'text', file: '' }, plugins: { sms: smsInstance({ apiBase: provider.url, limits }) } },
  });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

async function bulk(hub, to, more = {}) {
  const answer = await hub.api('POST', '/api/v1/messages/bulk', { channel: 'sms', to, text: 'Open day on Friday', ...more });
  assert.equal(answer.status, 202, answer.body);
  return answer.json.job.id;
}

const jobOf = async (hub, id) => (await hub.api('GET', `/api/v1/jobs/${id}?limit=200`)).json;

async function done(hub, id, { seconds = 60 } = {}) {
  return until('the bulk send is done', async () => {
    const job = await jobOf(hub, id);
    return job.status === 'done' ? job : null;
  }, { seconds, everyMs: 100 });
}

test('S73 each recipient gets a bulk message once, and the results tell of each', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const id = await bulk(hub, ['12', ...numbers(20), number(3)]);
  const job = await done(hub, id);
  assert.deepEqual([job.total, job.successful, job.failed, job.duplicates, job.queued], [21, 20, 1, 1, 0]);
  assert.deepEqual(job.results.map((one) => one.to), ['12', ...numbers(20)], 'in the order given');
  assert.equal(job.results[0].error.code, 'invalid_phone_number');
  assert.deepEqual(provider.receipts.map((one) => one.to).sort(), numbers(20).sort());
  assert.deepEqual(job.results.slice(1).map((one) => one.provider_id).sort(), provider.receipts.map((one) => one.sid).sort());
});

test('S73 F01 a bulk send goes on after a kill half-way and doubles nobody', async (t) => {
  const { hub, provider, remove } = await place({ concurrency: 16 });
  t.after(remove);
  await hub.token();
  await hub.stop();
  await hub.launch({ env: { PATCHBAY_FAILPOINT: 'delivery.after_bulk_slice:3' } });
  const id = await bulk(hub, numbers(600));
  await hub.exited;
  const [{ handed }] = await hub.sql('SELECT count(*) AS handed FROM task_items');
  assert.ok(handed >= 128 && handed < 600, `${handed} were handed over when it died`);
  await hub.launch();
  const job = await done(hub, id, { seconds: 90 });
  assert.deepEqual([job.successful, job.failed], [600, 0]);
  assert.equal(provider.receipts.length, 600);
  assert.equal(new Set(provider.receipts.map((one) => one.to)).size, 600, 'each once');
});

test('S73 a stop calls off what has not left within two seconds', async (t) => {
  const { hub, provider, remove } = await place({ per_second: 20 });
  t.after(remove);
  const id = await bulk(hub, numbers(400));
  await until('some are with the provider', () => provider.receipts.length >= 10);
  const began = Date.now();
  const stopped = await hub.api('POST', `/api/v1/jobs/${id}/stop`);
  assert.equal(stopped.status, 200, stopped.body);
  assert.equal(stopped.json.status, 'stopped');
  await until('nothing is queued any more', async () => (await jobOf(hub, id)).queued === 0, { seconds: 10, everyMs: 20 });
  const took = Date.now() - began;
  assert.ok(took <= 2000, `${took} ms`);
  const job = await jobOf(hub, id);
  assert.equal(job.successful + job.failed, 400);
  assert.equal(job.successful, provider.receipts.length);
  const [{ open }] = await hub.sql("SELECT count(*) AS open FROM jobs WHERE queue = 'sms' AND state IN ('waiting', 'ready', 'running', 'unknown')");
  assert.equal(open, 0);
});

test('S73 what people write goes before a bulk send', async (t) => {
  const { hub, provider, remove } = await place({ per_second: 20 });
  t.after(remove);
  await bulk(hub, numbers(200));
  await until('the bulk send is under way', () => provider.receipts.length >= 5);
  const sent = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: '+15558675310', text: 'Your taxi is here' });
  assert.equal(sent.status, 202, sent.body);
  await until('it is with the provider', () => provider.receipts.some((one) => one.body === 'Your taxi is here'));
  assert.ok(provider.receipts.length < 150, `${provider.receipts.length} went before it`);
});
