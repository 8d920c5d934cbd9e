// What S3's clients read back: messages, contacts, health, the description of the API, the log.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, whatsappInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, ownNumber, postHook } from './lib/twilio.mjs';

const webhook = '/api/whatsapp/twilio-webhook';
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const thabo = '+27123456789';
const lerato = '+27987654321';
const q = encodeURIComponent;

async function place(more = {}) {
  const provider = await Provider.start();
  provider.statuses = [];
  const hub = await Hub.start({ config: { plugins: { whatsapp: whatsappInstance({ apiBase: provider.url }) }, ...more } });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

const writes = async (hub, from, text, name) => {
  const answer = await postHook(hub, webhook, inboundFields({ from: `whatsapp:${from}`, to: `whatsapp:${ownNumber}`, text, ProfileName: name }));
  assert.equal(answer.status, 200);
  await hub.routed();
};

describe('messages and contacts', () => {
  let hub;
  let all;
  before(async () => {
    all = await place();
    ({ hub } = all);
    await writes(hub, lerato, 'Earlier', 'Lerato');
    for (const text of ['one', 'two', 'three']) await writes(hub, thabo, text, 'Thabo');
    await hub.api('POST', '/api/whatsapp/send', { phone_number: thabo, message_text: 'four' });
  });
  after(() => all?.remove());
  const get = async (target, options) => hub.api('GET', `/api/whatsapp/${target}`, undefined, options);

  test('S3-04 S3-20 S3-22 the messages with a number, newest first, with the keys printed', async () => {
    const answer = (await get(`messages?contact_number=${q(thabo)}&limit=50`)).json;
    assert.deepEqual(Object.keys(answer), ['contact', 'messages', 'total_messages', 'page', 'page_size']);
    assert.deepEqual(Object.keys(answer.contact), ['id', 'phone_number', 'display_name', 'last_message_time', 'unread_count', 'is_active']);
    assert.deepEqual([answer.contact.phone_number, answer.contact.display_name, answer.contact.unread_count, answer.contact.is_active], [thabo, 'Thabo', 3, true]);
    assert.deepEqual([answer.total_messages, answer.page, answer.page_size], [4, 1, 50]);
    assert.deepEqual(answer.messages.map((one) => one.message_text), ['four', 'three', 'two', 'one']);
    const [sent, received] = answer.messages;
    assert.deepEqual(Object.keys(received), ['id', 'message_id', 'from_phone_number', 'to_phone_number', 'message_type', 'message_text', 'media_url', 'status',
      'direction', 'is_read', 'created_at']);
    assert.deepEqual([received.from_phone_number, received.to_phone_number, received.status, received.direction, received.is_read], [thabo, ownNumber, 'received', 'inbound', false]);
    assert.deepEqual([sent.from_phone_number, sent.to_phone_number, sent.status, sent.direction, sent.is_read], [ownNumber, thabo, 'sent', 'outbound', false]);
    for (const one of answer.messages) assert.match(one.created_at, rfc3339);
    assert.match(answer.contact.last_message_time, rfc3339);
  });

  test('S3-04 the seed\'s own query, whose plus is not encoded, and pages', async () => {
    assert.equal((await get(`messages?contact_number=${thabo}&limit=50`)).json.total_messages, 4);
    const page = async (n) => (await get(`messages?contact_number=${q(thabo)}&limit=3&page=${n}`)).json.messages.map((one) => one.message_text);
    assert.deepEqual(await page(1), ['four', 'three', 'two']);
    assert.deepEqual(await page(2), ['one']);
    assert.deepEqual(await page(3), []);
    assert.deepEqual((await get(`messages?contact_number=${q('+27999999999')}`)).json, { contact: null, messages: [], total_messages: 0, page: 1, page_size: 50 });
  });

  test('S3-37 S3-40 what is no number is refused, and reaches no statement', async () => {
    for (const bad of ["' OR 1=1 --", '1; DROP TABLE messages', '%', '12']) {
      const answer = await get(`messages?contact_number=${q(bad)}`);
      assert.deepEqual([answer.status, answer.json.code, answer.json.errors[0].pointer], [422, 'invalid_phone_number', '?contact_number']);
      assert.equal((await hub.api('POST', `/api/whatsapp/contacts/${q(bad)}/read`)).status, 422);
    }
    assert.equal((await get('messages')).json.code, 'missing_field');
    for (const limit of ['0', '201', 'x']) assert.equal((await get(`messages?contact_number=${q(thabo)}&limit=${limit}`)).json.code, 'invalid_field');
    assert.equal((await get(`messages?contact_number=${q(thabo)}`)).json.total_messages, 4);
  });

  test('S3-05 S3-19 the contacts, latest message first, as new as the last message although they are cached', async () => {
    const answer = (await get('contacts')).json;
    assert.deepEqual(Object.keys(answer), ['contacts', 'total_count', 'unread_count']);
    assert.deepEqual(answer.contacts.map((one) => [one.phone_number, one.unread_count]), [[thabo, 3], [lerato, 1]]);
    assert.deepEqual([answer.total_count, answer.unread_count], [2, 4]);
    await writes(hub, lerato, 'Later', 'Lerato');
    assert.deepEqual((await get('contacts')).json.contacts.map((one) => [one.phone_number, one.unread_count]), [[lerato, 2], [thabo, 3]]);
  });

  test('S3-06 S3-21 the seed\'s own path marks a contact as read', async () => {
    const answer = await hub.api('POST', `/api/whatsapp/contacts/${thabo}/read`);
    assert.deepEqual([answer.status, answer.json], [200, { success: true, message: 'Marked as read', messages_marked: 3 }]);
    const { contact, messages } = (await get(`messages?contact_number=${q(thabo)}`)).json;
    assert.equal(contact.unread_count, 0);
    assert.deepEqual(messages.map((one) => [one.status, one.is_read]), [['sent', false], ['read', true], ['read', true], ['read', true]]);
    assert.equal((await get('contacts')).json.unread_count, 2);
    assert.equal((await hub.api('POST', `/api/whatsapp/contacts/${q(thabo)}/read/`)).json.messages_marked, 0);
    assert.equal((await hub.api('POST', '/api/whatsapp/contacts/+27999999999/read')).json.code, 'unknown_id');
  });

  test('S3-35 agents and viewers see their departments (S69), experts nothing', async () => {
    const [conversation] = await hub.list('/api/v1/conversations?channel=whatsapp');
    await hub.api('POST', `/api/v1/conversations/${conversation.id}/assign`, { department: 'Housekeeping' });
    const hidden = conversation.contact.address.value;
    assert.ok(!(await get('contacts', { role: 'agent' })).json.contacts.some((one) => one.phone_number === hidden));
    assert.equal((await get(`messages?contact_number=${q(hidden)}`, { role: 'viewer' })).json.contact, null);
    assert.equal((await hub.api('POST', `/api/whatsapp/contacts/${hidden}/read`, undefined, { role: 'agent' })).status, 404);
    assert.equal((await get('contacts')).json.total_count, 2);
    assert.equal((await get('contacts', { role: 'expert' })).status, 403);
    assert.equal((await get('contacts', { role: null })).status, 401);
    assert.equal((await hub.api('POST', `/api/whatsapp/contacts/${thabo}/read`, undefined, { role: 'viewer' })).status, 403);
  });
});

describe('health, description, log, measures', () => {
  let hub;
  let provider;
  let all;
  before(async () => {
    all = await place({ log: { level: 'info', format: 'text', file: 'application.log' } });
    ({ hub, provider } = all);
  });
  after(() => all?.remove());
  const health = () => hub.api('GET', '/api/whatsapp/health', undefined, { role: null });

  test('S3-07 says exactly what the seed prints, to everybody', async () => {
    const answer = await health();
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '{"status":"healthy","is_configured":true,"provider":"Twilio","message":"Twilio WhatsApp integration ready"}');
    assert.equal(provider.requests.length, 0);
  });

  test('S3-08 S3-09 /docs shows the nine announced endpoints', async () => {
    assert.equal((await send(hub.url, '/docs')).status, 200);
    const { paths } = (await send(hub.url, '/api/v1/openapi.json')).json;
    const described = Object.entries(paths).flatMap(([name, verbs]) => Object.keys(verbs).map((verb) => `${verb} ${name.replace(/\/$/, '')}`));
    for (const one of ['post send', 'post send-bulk', 'get messages', 'get contacts', 'post contacts/{phone}/read', 'get health', 'get twilio-webhook']) {
      const [verb, name] = one.split(' ');
      assert.ok(described.includes(`${verb} /api/whatsapp/${name}`), one);
    }
    for (const name of ['twilio-webhook', 'status-callback']) {
      const answer = await send(hub.url, `/api/whatsapp/${name}`, { method: 'POST' });
      assert.equal(answer.status, 401, 'it is there, for Twilio');
    }
  });

  test('S3-42 S3-43 trouble with the provider shows in health, readiness and the log', async () => {
    provider.rule({ status: 401, body: { code: 20003, message: 'Authenticate', status: 401 } });
    const answer = await hub.api('POST', '/api/whatsapp/send', { phone_number: thabo, message_text: 'x' });
    assert.equal(answer.status, 202);
    const ill = await until('it is unhealthy', async () => {
      const now = (await health()).json;
      return now.status === 'unhealthy' ? now : null;
    });
    assert.deepEqual(ill, { status: 'unhealthy', is_configured: true, provider: 'Twilio', message: 'Twilio refuses the credentials' });
    assert.deepEqual((await send(hub.url, '/health/ready')).json.degraded, ['whatsapp: auth_failed']);
    assert.equal((await hub.api('POST', '/api/v1/channels/whatsapp/resume')).status, 200);
    assert.equal((await health()).json.status, 'healthy');

    provider.rule({ status: 400, body: { code: 30002, message: 'Account suspended', status: 400 } });
    await hub.api('POST', '/api/whatsapp/send', { phone_number: lerato, message_text: 'x' });
    const log = fs.readFileSync(path.join(hub.folder, 'application.log'), 'utf8').split('\n');
    assert.ok(log.some((line) => line.includes('WhatsApp') && /error/i.test(line) && line.includes('30002')), 'grep "WhatsApp", grep "ERROR"');
    assert.ok(!log.some((line) => line.includes(thabo.slice(1)) || line.includes(lerato.slice(1))), 'no number of a person');
  });

  test('S3-41 S3-45 the use of the API and Twilio\'s limits are measured', async () => {
    provider.rule({ status: 429, body: { code: 20429, message: 'Too Many Requests', status: 429 } });
    await hub.api('POST', '/api/whatsapp/send', { phone_number: lerato, message_text: 'busy?' });
    const metrics = (await send(hub.url, '/metrics')).body;
    assert.match(metrics, /patchbay_http_requests_total\{[^}]*route="whatsapp\.send"[^}]*\} [1-9]/);
    assert.match(metrics, /patchbay_sends_total\{[^}]*channel="whatsapp"[^}]*outcome="retry_later"[^}]*\} [1-9]/);
  });

  test('an instance that is off answers 503, health in the seed\'s words', async (t) => {
    assert.equal((await hub.api('POST', '/api/v1/plugins/whatsapp/disable')).status, 200);
    t.after(() => hub.api('POST', '/api/v1/plugins/whatsapp/enable'));
    const answer = await health();
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.json, { status: 'misconfigured', is_configured: false, provider: 'Twilio', message: 'Missing Twilio configuration' });
    const refused = await hub.api('POST', '/api/whatsapp/send', { phone_number: thabo, message_text: 'x' });
    assert.deepEqual([refused.status, refused.json.code], [503, 'channel_unavailable']);
    assert.ok(refused.headers['retry-after']);
  });
});

test('S3-28 one command starts it on 127.0.0.1:8000 for development, and on 0.0.0.0:8000 in the production sample', () => {
  const config = (name) => fs.readFileSync(new URL(`../../config/${name}`, import.meta.url), 'utf8');
  assert.match(config('production.yaml'), /listen: 0\.0\.0\.0:8000/);
  assert.match(config('patchbay.yaml'), /listen: 127\.0\.0\.1:8000/);
  assert.match(fs.readFileSync(new URL('../../README.md', import.meta.url), 'utf8'), /scripts\/run/);
});
