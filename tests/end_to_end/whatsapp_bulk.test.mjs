// POST /api/whatsapp/send-bulk against a provider that counts (S3-02, S3-18, S73).
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, whatsappInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { ownNumber } from './lib/twilio.mjs';

const number = (i) => `+1555867${1000 + i}`;
const numbers = (count) => Array.from({ length: count }, (_, i) => number(i));
const seed = { phone_numbers: ['+27123456789', '+27987654321'], message_text: 'Maintenance alert' };

async function place({ limits = {} } = {}) {
  const provider = await Provider.start();
  provider.statuses = [];
  const hub = await Hub.start({
    config: { log: { level: 'warn', format: 'text', file: '' }, plugins: { whatsapp: whatsappInstance({ apiBase: provider.url, limits }) } },
  });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

const bulk = (hub, body, options) => hub.api('POST', '/api/whatsapp/send-bulk', body, options);
const progress = async (hub, id, query = '') => (await hub.api('GET', `/api/whatsapp/send-bulk/${id}${query}`)).json;

async function done(hub, id, { seconds = 60 } = {}) {
  return until('the bulk send is done', async () => {
    const job = await progress(hub, id, '?limit=200');
    return job.status === 'done' ? job : null;
  }, { seconds, everyMs: 100 });
}

test('S3-02 S3-18 the seed\'s own example is queued, and has a result for each number', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const answer = await bulk(hub, seed);
  assert.equal(answer.status, 202, answer.body);
  assert.deepEqual(Object.keys(answer.json), ['job_id', 'status', 'total', 'queued', 'successful', 'failed', 'duplicates', 'progress_url', 'results']);
  const { job_id: id, ...rest } = answer.json;
  assert.deepEqual(rest, {
    status: 'running', total: 2, queued: 2, successful: 0, failed: 0, duplicates: 0, progress_url: `/api/whatsapp/send-bulk/${id}`, results: [],
  });
  const job = await done(hub, id);
  assert.deepEqual(Object.keys(job), ['job_id', 'status', 'total', 'queued', 'successful', 'failed', 'duplicates', 'started_at', 'finished_at', 'results', 'next']);
  assert.deepEqual([job.total, job.queued, job.successful, job.failed, job.next], [2, 0, 2, 0, null]);
  assert.deepEqual(job.results.map((one) => [one.phone_number, one.success, one.status, one.error]), seed.phone_numbers.map((one) => [one, true, 'sent', null]));
  assert.deepEqual(job.results.map((one) => one.message_id).sort(), provider.receipts.map((one) => one.sid).sort());
  assert.deepEqual(provider.receipts.map((one) => [one.to, one.from, one.body]).sort(),
    seed.phone_numbers.map((one) => [`whatsapp:${one}`, `whatsapp:${ownNumber}`, 'Maintenance alert']));
  assert.ok(job.finished_at >= job.started_at);
});

test('S3-02 S3-29 a bad number does not stop the rest, equal ones are one, and a later failure moves a number', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const { json } = await bulk(hub, { ...seed, phone_numbers: ['12', number(1), number(2), `whatsapp:${number(1)}`] });
  assert.deepEqual([json.total, json.queued, json.failed, json.duplicates], [3, 2, 1, 1]);
  const job = await done(hub, json.job_id);
  assert.deepEqual([job.successful, job.failed], [2, 1]);
  assert.deepEqual(job.results[0], {
    phone_number: '12', success: false, id: null, message_id: null, status: 'failed',
    error: { code: 'invalid_phone_number', reason: 'needs the country code, as in +27...' },
  });
  const receipt = provider.receipts.find((one) => one.to === `whatsapp:${number(2)}`);
  await provider.callBack(receipt, 'undelivered', { ErrorCode: '63016' });
  await hub.routed();
  const later = await progress(hub, json.job_id);
  assert.deepEqual([later.successful, later.failed], [1, 2]);
  assert.deepEqual(later.results[2].error, { code: '63016', reason: 'outside the 24-hour window; use a template' });
  const pages = [await progress(hub, json.job_id, '?limit=2'), await progress(hub, json.job_id, '?limit=2&cursor=2')];
  assert.deepEqual(pages.map((page) => [page.results.map((one) => one.phone_number), page.next]), [[['12', number(1)], '2'], [[number(2)], null]]);
});

test('S3-13 S3-18 files and templates go in bulk too', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const form = () => provider.requests.filter((one) => one.method === 'POST').at(-1).form;
  const file = (await bulk(hub, { phone_numbers: [number(1)], message_type: 'document', media_url: 'https://a.example/1.pdf', message_text: 'Plan' })).json;
  await done(hub, file.job_id);
  assert.deepEqual([form().get('MediaUrl'), form().get('Body')], ['https://a.example/1.pdf', 'Plan']);
  const template = (await bulk(hub, { phone_numbers: [number(1)], content_sid: 'HX0123456789abcdef0123456789abcdef', content_variables: { 1: 'Ann' } })).json;
  await done(hub, template.job_id);
  assert.deepEqual([form().get('ContentSid'), form().get('ContentVariables')], ['HX0123456789abcdef0123456789abcdef', '{"1":"Ann"}']);
});

test('S3-40 what cannot be is refused as a whole', async (t) => {
  const { hub, provider, remove } = await place({ limits: { bulk_per_day: 1500 } });
  t.after(remove);
  const refused = async (body, status, code) => {
    const answer = await bulk(hub, { ...seed, ...body });
    assert.deepEqual([answer.status, answer.json.code, answer.json.success], [status, code, false], answer.body);
    return answer.json;
  };
  await refused({ phone_numbers: ['12', '13'] }, 422, 'invalid_phone_number');
  await refused({ phone_numbers: [] }, 422, 'invalid_field');
  await refused({ phone_numbers: undefined }, 422, 'missing_field');
  await refused({ message_text: 'x'.repeat(1601) }, 422, 'text_too_long');
  const many = { phone_numbers: numbers(1001) };
  const unconfirmed = await refused(many, 409, 'confirmation_required');
  assert.deepEqual([unconfirmed.recipients, unconfirmed.estimate], [1001, { segments: 1001, price: null }]);
  await refused({ ...many, confirm: 1000 }, 409, 'confirmation_required');
  await refused({ phone_numbers: numbers(1501), confirm: 1501 }, 422, 'daily_cap');
  const dry = await bulk(hub, { ...seed, ...many, dry_run: true });
  assert.deepEqual([dry.status, dry.json.status, dry.json.job_id, dry.json.total, dry.json.estimate], [200, 'dry_run', null, 1001, { segments: 1001, price: null }]);
  assert.equal(provider.requests.length, 0);
});

test('S3-35 a bulk send is its sender\'s', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  for (const role of ['expert', 'viewer']) assert.equal((await bulk(hub, seed, { role })).status, 403);
  assert.equal((await bulk(hub, seed, { role: null })).status, 401);
  const { job_id: id } = (await bulk(hub, seed)).json;
  for (const [role, status] of [['admin', 200], ['agent', 404]]) {
    assert.equal((await hub.api('GET', `/api/whatsapp/send-bulk/${id}`, undefined, { role })).status, status, role);
  }
  assert.equal((await hub.api('GET', '/api/whatsapp/send-bulk/abc')).status, 404);
});

test('S3-18 a stop calls off what has not left within two seconds', async (t) => {
  const { hub, provider, remove } = await place({ limits: { per_second: 20 } });
  t.after(remove);
  const { job_id: id } = (await bulk(hub, { ...seed, phone_numbers: numbers(300) })).json;
  await until('some are with the provider', () => provider.receipts.length >= 5);
  const began = Date.now();
  const stopped = await hub.api('POST', `/api/whatsapp/send-bulk/${id}/stop`);
  assert.deepEqual([stopped.status, stopped.json.status], [200, 'stopped']);
  await until('nothing is queued any more', async () => (await progress(hub, id)).queued === 0, { everyMs: 20 });
  assert.ok(Date.now() - began <= 2000);
  const job = await progress(hub, id);
  assert.equal(job.successful + job.failed, 300);
  assert.equal(job.successful, provider.receipts.length);
});

test('S3-18 F01 a bulk send goes on after a kill half-way, with one call for each number', async (t) => {
  const { hub, provider, remove } = await place({ limits: { concurrency: 16 } });
  t.after(remove);
  await hub.token();
  await hub.stop();
  await hub.launch({ env: { PATCHBAY_FAILPOINT: 'delivery.after_bulk_slice:3' } });
  const { job_id: id } = (await bulk(hub, { ...seed, phone_numbers: numbers(400) })).json;
  await hub.exited;
  await hub.launch();
  const job = await done(hub, id, { seconds: 90 });
  assert.deepEqual([job.successful, job.failed], [400, 0]);
  assert.equal(new Set(provider.receipts.map((one) => one.to)).size, 400);
  assert.equal(provider.receipts.length, 400);
});
