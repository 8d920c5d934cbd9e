// WhatsApp as S3's clients use it: /api/whatsapp/ against the real binary, with a Twilio that the test directs.
// S3 lines of the contract are named where they are shown.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, whatsappInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { accountSid, authToken, encodeForm, inboundFields, newSid, ownNumber, postHook, signature, statusFields } from './lib/twilio.mjs';

const verifyToken = 'BarronPMSWebhookToken2024';
const webhook = '/api/whatsapp/twilio-webhook';
const twiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const seed = { phone_number: '+27123456789', message_text: 'Job status update', message_type: 'text' };

let people = 0;
/** A number that no test before had. */
const newPerson = () => {
  people += 1;
  return `+2782${String(1_000_000 + people)}`;
};

const inbound = (from, text, more = {}) => inboundFields({ from: `whatsapp:${from}`, to: `whatsapp:${ownNumber}`, text, ProfileName: 'Thabo', ...more });

async function place({ config = {}, hubConfig = {}, publicUrl, env, ...more } = {}) {
  const provider = await Provider.start();
  provider.statuses = [];
  const hub = await Hub.start({
    publicUrl, env, config: { ...hubConfig, plugins: { whatsapp: whatsappInstance({ apiBase: provider.url, config, ...more }), ...hubConfig.plugins } },
  });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

const lastForm = (provider) => provider.requests.filter((one) => one.method === 'POST').at(-1).form;

function assertProblem(answer, status, code, pointer) {
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  assert.equal(answer.json.code, code);
  assert.deepEqual([answer.json.success, answer.json.message_id, answer.json.error], [false, null, answer.json.detail]);
  if (pointer) assert.ok(answer.json.errors.some((one) => one.pointer === pointer), answer.body);
}

describe('sending by /api/whatsapp/send', () => {
  let hub;
  let provider;
  let all;
  before(async () => { all = await place(); ({ hub, provider } = all); });
  after(() => all?.remove());
  const sendOne = (body, options) => hub.api('POST', '/api/whatsapp/send', body, options);
  const messagesWith = async (number) => (await hub.api('GET', `/api/whatsapp/messages?contact_number=${encodeURIComponent(number)}`)).json.messages;

  test('S3-01 S3-26 answers the seed\'s own example with what Twilio said', async () => {
    const answer = await sendOne(seed);
    assert.equal(answer.status, 200, answer.body);
    assert.deepEqual(Object.keys(answer.json), ['success', 'id', 'message_id', 'status', 'timestamp', 'error']);
    const { success, id, message_id: sid, status, timestamp, error } = answer.json;
    assert.deepEqual([success, sid, status, error], [true, provider.receipts.at(-1).sid, 'sent', null]);
    assert.match(id, uuid);
    assert.match(timestamp, rfc3339);
    const form = lastForm(provider);
    assert.equal(form.get('To'), 'whatsapp:+27123456789');
    assert.equal(form.get('From'), `whatsapp:${ownNumber}`);
    assert.equal(form.get('Body'), 'Job status update');
    assert.equal(form.get('StatusCallback'), `${hub.publicUrl}/hooks/whatsapp/status?message=${id}`);
  });

  test('S3-01 takes every form of a number (X24), both forms of the path (X25), and ignores unknown fields', async () => {
    const digits = newPerson().slice(1);
    for (const [i, form] of [`+${digits}`, `whatsapp:+${digits}`, `00${digits}`, digits].entries()) {
      const answer = await hub.api('POST', `/api/whatsapp/send${i % 2 ? '/' : ''}`, { phone_number: form, message_text: `form ${i}`, unknown: 1 });
      assert.equal(answer.status, 200, answer.body);
      assert.equal(lastForm(provider).get('To'), `whatsapp:+${digits}`);
    }
  });

  for (const [kind, url] of [['image', 'https://a.example/1.jpg'], ['video', 'https://a.example/1.mp4'], ['audio', 'https://a.example/1.ogg'], ['document', 'https://a.example/1.pdf']]) {
    test(`S3-13 sends ${kind} by its URL, with and without a caption`, async () => {
      const person = newPerson();
      assert.equal((await sendOne({ phone_number: person, message_type: kind, media_url: url, message_text: 'Look' })).status, 200);
      assert.deepEqual([lastForm(provider).getAll('MediaUrl'), lastForm(provider).get('Body')], [[url], 'Look']);
      assert.equal((await sendOne({ phone_number: person, message_type: kind, message_text: url })).status, 200);
      assert.deepEqual([lastForm(provider).getAll('MediaUrl'), lastForm(provider).get('Body')], [[url], null]);
      const [newest, first] = await messagesWith(person);
      assert.deepEqual([newest.message_type, newest.media_url, newest.message_text], [kind, url, '']);
      assert.deepEqual([first.message_type, first.media_url, first.message_text], [kind, url, 'Look']);
    });
  }

  test('S3-13 sends a template by its content SID, in the place of the text', async () => {
    const sid = 'HX0123456789abcdef0123456789abcdef';
    const person = newPerson();
    const answer = await sendOne({ phone_number: person, message_text: 'not sent', content_sid: sid, content_variables: { 1: 'Ann & Bo', room: '12' } });
    assert.equal(answer.status, 200, answer.body);
    const form = lastForm(provider);
    assert.deepEqual([form.get('ContentSid'), form.get('Body')], [sid, null]);
    assert.deepEqual(JSON.parse(form.get('ContentVariables')), { 1: 'Ann & Bo', room: '12' });
    assert.equal((await messagesWith(person))[0].message_type, 'template');
  });

  const faults = [
    ['a number without its country (S3-29)', { ...seed, phone_number: '0123456789' }, 'invalid_phone_number', '/phone_number'],
    ['no number', { message_text: 'x' }, 'missing_field', '/phone_number'],
    ['a number of the wrong type', { ...seed, phone_number: 27123456789 }, 'invalid_field', '/phone_number'],
    ['no text', { phone_number: '+27123456789' }, 'missing_field', '/message_text'],
    ['an empty text', { ...seed, message_text: '' }, 'invalid_field', '/message_text'],
    ['a type that is none', { ...seed, message_type: 'sticker' }, 'invalid_field', '/message_type'],
    ['an image without a URL', { ...seed, message_type: 'image' }, 'missing_field', '/media_url'],
    ['a text with a URL', { ...seed, media_url: 'https://a.example/1.jpg' }, 'invalid_field', '/media_url'],
    ['a text over 1600 characters', { ...seed, message_text: 'x'.repeat(1601) }, 'text_too_long', null],
  ];
  for (const [what, body, code, pointer] of faults) {
    test(`S3-40 refuses ${what}, and sends nothing`, async () => {
      const asked = provider.requests.length;
      assertProblem(await sendOne(body), 422, code, pointer);
      assert.equal(provider.requests.length, asked);
    });
  }

  for (const [code, word] of [[63007, 'provider_refused'], [21211, 'invalid_phone_number'], [63024, 'invalid_phone_number'], [21610, 'recipient_opted_out']]) {
    test(`S3-31 tells that Twilio refused with ${code}`, async () => {
      const person = newPerson();
      provider.rule({ status: 400, body: { code, message: 'As Twilio says it', status: 400 } });
      const answer = await sendOne({ ...seed, phone_number: person });
      assertProblem(answer, 422, word);
      assert.deepEqual([answer.json.provider_code, answer.json.reason], [String(code), 'As Twilio says it']);
      const [message] = await messagesWith(person);
      assert.deepEqual([message.id, message.status, message.message_id], [answer.json.id, 'failed', null]);
    });
  }

  test('S3-31 an opt-out that Twilio knows of (21610) is kept: nothing more is offered', async () => {
    const person = newPerson();
    provider.rule({ status: 400, body: { code: 21610, message: 'unsubscribed', status: 400 } });
    await sendOne({ ...seed, phone_number: person });
    const asked = provider.requests.length;
    assertProblem(await sendOne({ ...seed, phone_number: person, message_text: 'And now?' }), 422, 'recipient_opted_out');
    assert.equal(provider.requests.length, asked);
    const { contacts } = (await hub.api('GET', '/api/whatsapp/contacts')).json;
    assert.equal(contacts.find((one) => one.phone_number === person).is_active, false);
  });

  test('S3-30 S3-45 a provider that is down or busy gets the message later', async () => {
    for (const rule of [{ status: 503 }, { status: 429, body: { code: 20429, message: 'Too Many Requests' }, headers: { 'Retry-After': '1' } }, { drop: 'before' }]) {
      const person = newPerson();
      provider.rule(rule);
      const answer = await sendOne({ ...seed, phone_number: person });
      assert.equal(answer.status, 202, answer.body);
      assert.deepEqual([answer.json.success, answer.json.message_id, answer.json.status, answer.json.error], [true, null, 'queued', null]);
      const message = await until('it left after all', async () => {
        const [one] = await messagesWith(person);
        return one.status === 'sent' ? one : null;
      }, { seconds: 60 });
      assert.equal(provider.receipts.filter((one) => one.to === `whatsapp:${person}`).length, 1);
      assert.equal(message.id, answer.json.id);
    }
  });

  test('S3-21 follows the callbacks: sent, read, failed', async () => {
    const person = newPerson();
    await sendOne({ ...seed, phone_number: person });
    const receipt = provider.receipts.at(-1);
    for (const [status, shown] of [['sent', 'sent'], ['delivered', 'sent'], ['read', 'read'], ['delivered', 'read']]) {
      assert.ok((await provider.callBack(receipt, status)).ok);
      await hub.routed();
      assert.equal((await messagesWith(person))[0].status, shown);
    }
    await sendOne({ ...seed, phone_number: person, message_text: 'again' });
    await provider.callBack(provider.receipts.at(-1), 'undelivered', { ErrorCode: '63005' });
    await hub.routed();
    assert.equal((await messagesWith(person))[0].status, 'failed');
  });

  test('S3-31 a window that was closed (63016) comes as a callback after a success, and says what helps', async () => {
    const person = newPerson();
    const { json } = await sendOne({ ...seed, phone_number: person });
    assert.equal(json.success, true);
    const callback = statusFields({ sid: json.message_id, status: 'undelivered', to: `whatsapp:${person}`, from: `whatsapp:${ownNumber}`, ErrorCode: '63016' });
    assert.equal((await postHook(hub, '/api/whatsapp/status-callback', callback)).body, twiml);
    await hub.routed();
    const message = (await hub.api('GET', `/api/v1/messages/${json.id}`)).json;
    assert.equal(message.status, 'failed');
    assert.deepEqual([message.error.code, message.error.reason], ['63016', 'outside the 24-hour window; use a template']);
  });

  test('S3-39 takes five equal texts to one number in a minute, then 429 with Retry-After', async () => {
    const person = newPerson();
    for (let i = 0; i < 5; i += 1) assert.equal((await sendOne({ ...seed, phone_number: person })).status, 200);
    const answer = await sendOne({ ...seed, phone_number: person });
    assertProblem(answer, 429, 'rate_limited');
    assert.ok(Number(answer.headers['retry-after']) > 0);
  });

  test('a repeated Idempotency-Key sends once (G4)', async () => {
    const options = { headers: { 'idempotency-key': newSid() } };
    const first = await sendOne({ ...seed, message_text: 'once' }, options);
    const sent = provider.receipts.length;
    const second = await sendOne({ ...seed, message_text: 'once' }, options);
    assert.equal(second.body, first.body);
    assert.equal(second.headers['idempotent-replayed'], 'true');
    assert.equal(provider.receipts.length, sent);
  });

  test('S3-35 X29 is for those who may send, with their token or key', async () => {
    assert.equal((await sendOne(seed, { role: null })).status, 401);
    assert.equal((await sendOne(seed, { role: 'viewer' })).status, 403);
    for (const role of ['admin', 'agent', 'expert']) assert.equal((await sendOne({ ...seed, phone_number: newPerson() }, { role })).status, 200, role);
    const keyWith = async (scopes) => (await hub.api('POST', '/api/v1/api-keys', { name: 'pms', scopes })).json.key;
    const byKey = async (scopes) => sendOne({ ...seed, phone_number: newPerson() }, { role: null, headers: { 'x-api-key': await keyWith(scopes) } });
    assert.equal((await byKey(['messages:send'])).status, 200);
    assert.equal((await byKey(['messages:read'])).json.code, 'scope_missing');
  });
});

describe('the 24-hour window', () => {
  test('free text a day after the last message is refused before any call; a template goes', async (t) => {
    const { hub, provider, remove } = await place();
    t.after(remove);
    const person = newPerson();
    await postHook(hub, webhook, inbound(person, 'Hello'));
    await hub.routed();
    assert.equal((await hub.api('POST', '/api/whatsapp/send', { ...seed, phone_number: person })).status, 200, 'within the day');
    await hub.stop();
    await hub.changeDatabase(`UPDATE conversations SET last_inbound_at = last_inbound_at - ${24 * 3_600_000 + 1000}`);
    await hub.launch();
    const asked = provider.requests.length;
    assertProblem(await hub.api('POST', '/api/whatsapp/send', { ...seed, phone_number: person, message_text: 'late' }), 422, 'window_closed');
    assert.equal(provider.requests.length, asked);
    const template = { phone_number: person, content_sid: 'HX0123456789abcdef0123456789abcdef' };
    assert.equal((await hub.api('POST', '/api/whatsapp/send', template)).status, 200);
  });
});

describe('receiving by /api/whatsapp/twilio-webhook', () => {
  let hub;
  let provider;
  let all;
  before(async () => {
    const replies = { plugin: 'auto_reply', config: { rules: [{ contains: 'machine', reply: 'A technician is on the way' }] } };
    all = await place({ config: { verify_token: verifyToken }, flow: 'replies', hubConfig: { plugins: { replies } } });
    ({ hub, provider } = all);
  });
  after(() => all?.remove());
  const stored = async (person) => {
    const [contact] = await hub.list(`/api/v1/contacts?address=${encodeURIComponent(person)}`);
    return contact ? hub.list(`/api/v1/messages?contact=${contact.id}`) : [];
  };

  test('S3-03 S3-10 S3-11 S3-12 a message is stored, understood by a chatbot and answered', async () => {
    const person = newPerson();
    const answer = await postHook(hub, webhook, inbound(person, 'The machine stopped'));
    assert.deepEqual([answer.status, answer.headers['content-type'], answer.body], [200, 'text/xml', twiml]);
    await until('the answer is with Twilio', () => provider.receipts.some((one) => one.to === `whatsapp:${person}`));
    const receipt = provider.receipts.find((one) => one.to === `whatsapp:${person}`);
    assert.deepEqual([receipt.body, receipt.from], ['A technician is on the way', `whatsapp:${ownNumber}`]);
    const { messages, contact } = (await hub.api('GET', `/api/whatsapp/messages?contact_number=${encodeURIComponent(person)}`)).json;
    assert.deepEqual(messages.map((one) => [one.direction, one.message_text]), [['outbound', 'A technician is on the way'], ['inbound', 'The machine stopped']]);
    assert.equal(contact.display_name, 'Thabo');
  });

  test('S3-03 S3-23 a repeat and unknown fields change nothing, at both forms of the path', async () => {
    const person = newPerson();
    const fields = inbound(person, 'Only once', { SomethingNew: 'x' });
    for (const target of [webhook, `${webhook}/`, '/hooks/whatsapp/message']) assert.equal((await postHook(hub, target, fields)).status, 200);
    await hub.routed();
    assert.deepEqual((await stored(person)).map((one) => one.text), ['Only once']);
  });

  test('S3-33 S3-34 S3-27 a wrong signature or verify token stores nothing, a right one does', async () => {
    const person = newPerson();
    const post = (target, options) => postHook(hub, target, inbound(person, 'Mine', { sid: newSid() }), options);
    for (const answer of [
      await post(webhook, { token: 'another token' }), await post(webhook, { headers: { 'x-twilio-signature': '' } }),
      await post(`${webhook}?verify_token=wrong`), await post(webhook, { headers: { 'x-verify-token': 'wrong' } }),
      await post(`${webhook}?verify_token=${verifyToken}`, { token: 'another token' }),
    ]) assert.deepEqual([answer.status, answer.body], [401, '']);
    assert.deepEqual(await stored(person), []);
    assert.equal((await post(`${webhook}?verify_token=${verifyToken}`)).status, 200);
    assert.equal((await post(webhook, { headers: { 'x-verify-token': verifyToken } })).status, 200);
    await hub.routed();
    assert.equal((await stored(person)).length, 2);
  });

  test('S3-33 a body that is no form is 400 with nothing in it', async () => {
    const answer = await send(hub.url, webhook, {
      method: 'POST', body: 'Body=%ZZ',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature(authToken, hub.publicUrl + webhook, { Body: '%ZZ' }) },
    });
    assert.deepEqual([answer.status, answer.body], [400, '']);
  });

  test('S3-08 S3-27 the probe answers who shows the token (X18)', async () => {
    const probe = (query) => hub.api('GET', `${webhook}${query}`, undefined, { role: null });
    assert.deepEqual((await probe(`?verify_token=${verifyToken}`)).json, { status: 'verified' });
    assert.equal((await probe(`?verify_token=${verifyToken}&challenge=abc123`)).body, 'abc123');
    assert.equal((await probe(`?hub.mode=subscribe&hub.verify_token=${verifyToken}&hub.challenge=115`)).body, '115');
    for (const query of ['', '?verify_token=wrong', `?verify_token=${verifyToken}&challenge=%3Cscript%3E`]) {
      const answer = await probe(query);
      assert.deepEqual([answer.status, answer.body], [403, ''], query);
    }
  });

  test('buttons, places and files come through', async () => {
    const person = newPerson();
    await postHook(hub, webhook, inbound(person, 'Yes', { ButtonText: 'Yes', ButtonPayload: 'confirm:42' }));
    await postHook(hub, webhook, inbound(person, '', { Latitude: '51.5', Longitude: '-0.2', Label: 'Club' }));
    await postHook(hub, webhook, inbound(person, 'look', { NumMedia: '1', MediaUrl0: 'https://api.twilio.com/m/1', MediaContentType0: 'image/jpeg' }));
    await hub.routed();
    const { messages } = (await hub.api('GET', `/api/whatsapp/messages?contact_number=${encodeURIComponent(person)}`)).json;
    assert.deepEqual(messages.map((one) => one.message_type), ['image', 'location', 'interactive']);
    assert.equal(messages[0].media_url, 'https://api.twilio.com/m/1');
  });

  test('STOP and START are followed, and say whether a contact is active (S74)', async () => {
    const person = newPerson();
    const isActive = async () => (await hub.api('GET', '/api/whatsapp/contacts')).json.contacts.find((one) => one.phone_number === person).is_active;
    await postHook(hub, webhook, inbound(person, 'STOP'));
    await hub.routed();
    assertProblem(await hub.api('POST', '/api/whatsapp/send', { ...seed, phone_number: person }), 422, 'recipient_opted_out');
    assert.equal(await isActive(), false);
    await postHook(hub, webhook, inbound(person, 'START'));
    await hub.routed();
    assert.equal((await hub.api('POST', '/api/whatsapp/send', { ...seed, phone_number: person })).status, 200);
    assert.equal(await isActive(), true);
  });

  test('S3-46 what customers write is stored when the answer cannot be sent', async (t) => {
    const person = newPerson();
    provider.rule({ status: 400, body: { code: 63003, message: 'no such recipient' } });
    t.after(() => provider.forgetRules());
    assert.equal((await postHook(hub, webhook, inbound(person, 'The machine stopped again'))).status, 200);
    const messages = await until('the answer has failed', async () => {
      const found = (await hub.api('GET', `/api/whatsapp/messages?contact_number=${encodeURIComponent(person)}`)).json.messages;
      return found.some((one) => one.status === 'failed') ? found : null;
    });
    assert.deepEqual(messages.map((one) => one.status), ['failed', 'received']);
  });

  test('somebody known by phone and by a business-scoped id is one contact, and is answered under it', async () => {
    const person = newPerson();
    await postHook(hub, webhook, inbound(person, 'first', { ExternalUserId: 'whatsapp:ZA.1349' }));
    await postHook(hub, webhook, { ...inbound(person, 'second'), From: 'whatsapp:ZA.1349', ExternalUserId: 'whatsapp:ZA.1349' });
    await postHook(hub, webhook, { ...inbound(person, 'hidden'), From: 'whatsapp:ZA.777', ExternalUserId: 'whatsapp:ZA.777' });
    await hub.routed();
    const byPhone = (await hub.api('GET', `/api/whatsapp/messages?contact_number=${encodeURIComponent(person)}`)).json;
    const byId = (await hub.api('GET', '/api/whatsapp/messages?contact_number=ZA.1349')).json;
    assert.deepEqual(byPhone.messages.map((one) => one.message_text), ['second', 'first']);
    assert.deepEqual(byId, byPhone);
    const hidden = (await hub.api('GET', '/api/whatsapp/messages?contact_number=ZA.777')).json;
    assert.equal(hidden.contact.phone_number, 'ZA.777');
    assert.equal((await hub.api('POST', '/api/whatsapp/send', { ...seed, phone_number: 'ZA.777' })).status, 200);
    assert.equal(lastForm(provider).get('To'), 'whatsapp:ZA.777');
  });

  test('another account\'s messages are kept as ignored', async () => {
    const person = newPerson();
    await postHook(hub, webhook, { ...inbound(person, 'Not yours'), AccountSid: accountSid.replace('AC01', 'AC99') });
    await hub.routed();
    assert.deepEqual(await stored(person), []);
  });
});

describe('behind a tunnel', () => {
  test('S3-38 S3-44 signatures are for the public https address, whatever Host says', async (t) => {
    const { hub, remove } = await place({ publicUrl: 'https://xxxx.ngrok.io' });
    t.after(remove);
    const fields = inbound(newPerson(), 'Through ngrok');
    assert.equal((await postHook(hub, webhook, fields, { headers: { host: 'xxxx.ngrok.io' } })).status, 200);
    const answer = await send(hub.url, webhook, {
      method: 'POST', body: encodeForm(fields),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature(authToken, hub.url + webhook, fields) },
    });
    assert.equal(answer.status, 401);
  });
});

test('S3-24 S3-25 S3-26 S3-27 S3-36 everything secret comes from the environment, and is shown nowhere', async (t) => {
  const names = { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_WHATSAPP_NUMBER: `whatsapp:${ownNumber}`, TWILIO_WEBHOOK_VERIFY_TOKEN: verifyToken };
  const { hub, provider, remove } = await place({
    env: names,
    config: { account_sid: '${env:TWILIO_ACCOUNT_SID}', auth_token: '${env:TWILIO_AUTH_TOKEN}', from: '${env:TWILIO_WHATSAPP_NUMBER}', verify_token: '${env:TWILIO_WEBHOOK_VERIFY_TOKEN}' },
  });
  t.after(remove);
  const answer = await hub.api('POST', '/api/whatsapp/send', seed);
  assert.equal(answer.status, 200, answer.body);
  assert.equal(lastForm(provider).get('From'), `whatsapp:${ownNumber}`);
  const shown = (await hub.cli(['config', 'show'])).stdout + fs.readFileSync(path.join(hub.folder, 'patchbay.yaml'), 'utf8') + hub.log;
  for (const secret of [names.TWILIO_AUTH_TOKEN, verifyToken]) assert.ok(!shown.includes(secret));
});
