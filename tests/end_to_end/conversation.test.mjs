// A whole first conversation by SMS, judged by parties that nobody here wrote: Twilio's npm package signs what comes in, Prism
// holds every call of ours against Twilio's OpenAPI document, emulate plays an account with state and calls back.
// S4 lines of the contract are named where they are shown.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { freePort, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { emulateAccount, startEmulate, startPrism } from './lib/judges.mjs';
import { missing } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, newSid, ownNumber, postHook, statusFields } from './lib/twilio.mjs';

const guest = '+15558675310';
const question = 'When are you open?';
const reply = 'Mon-Fri 9 to 5 & Sat 10+ hours 👍';
const replies = { plugin: 'auto_reply', config: { rules: [{ contains: 'open', reply }] } };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function statusIs(hub, id, wanted) {
  return until(`message ${id} is ${wanted}`, async () => {
    const { json } = await hub.api('GET', `/api/v1/messages/${id}`);
    return json.status === wanted ? json : null;
  });
}

describe('a conversation whose calls Prism judges', { skip: missing('providers/run-prism.sh', 'specs/twilio/prism') }, () => {
  let prism;
  let hub;
  before(async () => {
    prism = await startPrism('twilio-api');
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: prism.url, flow: 'replies' }), replies } } });
  });
  after(async () => { await hub?.remove(); prism?.stop(); });

  test('answers a signed question by a call that Twilio would take (S4-21, S4-31)', async () => {
    const answer = await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: question }));
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '<?xml version="1.0" encoding="UTF-8"?><Response/>');
    const [call] = await until('the reply is offered to the provider', async () => {
      const calls = (await prism.requests()).filter((one) => one.method === 'POST');
      return calls.length > 0 && calls[0].status ? calls : null;
    });
    assert.equal(call.violations, undefined, 'no violation of the published contract');
    assert.deepEqual(call.warnings, [], 'every plus is escaped, every byte encoded');
    assert.equal(call.status, 201);
    const form = Object.fromEntries(new URLSearchParams(call.body));
    assert.equal(form.To, guest);
    assert.equal(form.From, ownNumber);
    assert.equal(form.Body, reply);
    assert.ok(form.StatusCallback.startsWith(`${hub.publicUrl}/`), form.StatusCallback);
  });

  test('is one conversation with both messages in the API', async () => {
    const [conversation] = await hub.list('/api/v1/conversations');
    assert.equal(conversation.contact.address.value, guest);
    const { items } = (await hub.api('GET', `/api/v1/conversations/${conversation.id}/messages`)).json;
    assert.deepEqual(items.map((message) => [message.direction, message.text]), [['out', reply], ['in', question]]);
  });

  test('sends nothing else', async () => {
    assert.equal((await prism.requests()).filter((one) => one.method === 'POST').length, 1);
  });
});

describe('a conversation with an account that emulate plays', { skip: missing('providers/run-emulate.sh') }, () => {
  let emulate;
  let hub;
  before(async () => {
    const port = await freePort();
    emulate = await startEmulate({ smsUrl: `http://127.0.0.1:${port}/hooks/sms/message` });
    const config = { account_sid: emulateAccount.sid, auth_token: emulateAccount.token, default_from: emulateAccount.number };
    hub = await Hub.start({ port, config: { plugins: { sms: smsInstance({ apiBase: emulate.url, flow: 'replies', config }), replies } } });
  });
  after(async () => { await hub?.remove(); emulate?.stop(); });

  test('answers what a phone sends, and follows the delivery by signed callbacks (S4-07, S4-22, S4-31)', async () => {
    assert.ok((await emulate.messageComesIn(guest, question)).ok);
    const sent = await until('the reply is at the provider', async () => (await emulate.messages()).find((one) => one.direction === 'outbound-api'));
    assert.equal(sent.body, reply);
    const [message] = await until('the API has the reply', async () => {
      const found = await hub.list(`/api/v1/messages?channel=sms&provider_id=${sent.sid}`);
      return found.length > 0 ? found : null;
    });
    for (const status of ['sent', 'delivered']) {
      assert.ok((await emulate.statusBecomes(sent.sid, status)).ok);
      await statusIs(hub, message.id, status);
    }
    assert.equal((await emulate.messages()).filter((one) => one.direction === 'outbound-api').length, 1);
  });

  test('signs in with the credentials of the account, which emulate checks', async () => {
    const calls = (await emulate.requests()).filter((one) => one.method === 'POST');
    assert.ok(calls.length > 0 && calls.every((one) => one.status === 201));
    assert.deepEqual(calls.flatMap((one) => one.warnings), []);
  });
});

describe('sending by /api/sms/', () => {
  let provider;
  let hub;
  before(async () => {
    provider = await Provider.start();
    provider.statuses = [];
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url }) } } });
  });
  after(async () => { await hub?.remove(); await provider?.stop(); });

  const sendSms = (body, options) => hub.api('POST', '/api/sms/send/', body, options);
  const statusOf = async (id) => (await hub.api('GET', `/api/sms/${id}/status/`)).json;

  test('S4-01 sends and answers with the log entry (S4-06, S4-08)', async () => {
    const answer = await sendSms({ to_phone: guest, message: 'Your order is ready' });
    assert.equal(answer.status, 201, answer.body);
    const log = answer.json;
    assert.deepEqual(Object.keys(log).sort(), ['created_at', 'error', 'from_phone', 'id', 'last_event_time', 'message', 'provider_msg_id',
      'status', 'to_phone', 'updated_at']);
    assert.match(log.id, uuid);
    assert.deepEqual([log.to_phone, log.from_phone, log.message, log.status], [guest, ownNumber, 'Your order is ready', 'QUEUED']);
    assert.equal(log.provider_msg_id, provider.receipts.at(-1).sid);
    assert.deepEqual([log.last_event_time, log.error], [null, null]);
    assert.match(log.created_at, rfc3339);
    assert.match(log.updated_at, rfc3339);
  });

  test('S4-01 takes every form of a number (X24) and both forms of the path (X25)', async () => {
    for (const [index, to] of ['whatsapp:+15558675311', '0015558675312', '15558675313'].entries()) {
      const answer = await hub.api('POST', index % 2 ? '/api/sms/send' : '/api/sms/send/', { to_phone: to, message: `form ${index}` });
      assert.equal(answer.status, 201, `${to}: ${answer.body}`);
      assert.equal(answer.json.to_phone, `+1555867531${index + 1}`);
    }
  });

  test('S4-02 S4-07 shows the status as signed callbacks move it, forward only (S4-22)', async () => {
    const { id } = (await sendSms({ to_phone: guest, message: 'Follow me' })).json;
    const receipt = provider.receipts.at(-1);
    for (const [status, shown] of [['sent', 'SENT'], ['delivered', 'DELIVERED'], ['sent', 'DELIVERED']]) {
      const answer = await provider.callBack(receipt, status);
      assert.ok(answer.ok, String(answer.status));
      await hub.routed();
      const log = await statusOf(id);
      assert.equal(log.status, shown);
      assert.match(log.last_event_time, rfc3339);
    }
  });

  test('S4-07 S4-08 shows a failure with the provider\'s own code', async () => {
    const { id } = (await sendSms({ to_phone: guest, message: 'To a landline' })).json;
    await provider.callBack(provider.receipts.at(-1), 'undelivered', { ErrorCode: '30006' });
    await hub.routed();
    const log = await statusOf(id);
    assert.equal(log.status, 'FAILED');
    assert.equal(log.error.code, '30006');
  });

  test('S4-03 S4-24 refuses a status that nobody signed', async () => {
    const { id } = (await sendSms({ to_phone: guest, message: 'Not by strangers' })).json;
    const { sid } = provider.receipts.at(-1);
    const answer = await postHook(hub, '/webhooks/sms/twilio/', statusFields({ sid, status: 'delivered', to: guest }), { token: 'another token' });
    assert.equal(answer.status, 401);
    assert.equal(answer.body, '');
    assert.equal((await statusOf(id)).status, 'QUEUED');
  });

  test('S4-03 takes a status at the path the seed prints', async () => {
    const { id } = (await sendSms({ to_phone: guest, message: 'By the seed\'s path' })).json;
    const { sid } = provider.receipts.at(-1);
    assert.ok((await postHook(hub, '/webhooks/sms/twilio/', statusFields({ sid, status: 'delivered', to: guest }))).ok);
    await hub.routed();
    assert.equal((await statusOf(id)).status, 'DELIVERED');
  });

  const faults = [
    ['no number', { message: 'x' }, 400, 'missing_field', '/to_phone'],
    ['no text', { to_phone: guest }, 400, 'missing_field', '/message'],
    ['an empty text', { to_phone: guest, message: '' }, 400, null, '/message'],
    ['a number without a country', { to_phone: '555-1234', message: 'x' }, 400, 'invalid_phone_number', '/to_phone'],
    ['a number of the wrong type', { to_phone: 15558675310, message: 'x' }, 400, 'invalid_field', '/to_phone'],
    ['a text over 1600 characters', { to_phone: guest, message: 'x'.repeat(1601) }, null, null, null],
    ['a sender that is not ours', { to_phone: guest, message: 'x', from_phone: '+15005550001' }, 422, 'unknown_from', null],
  ];
  for (const [what, body, status, code, pointer] of faults) {
    test(`S4-23 S4-25 refuses ${what} with a structured error, and sends nothing`, async () => {
      const before = provider.receipts.length;
      const answer = await sendSms(body);
      assert.match(answer.headers['content-type'], /^application\/problem\+json/);
      assert.ok(status === null ? [400, 422].includes(answer.status) : answer.status === status, `${answer.status} ${answer.body}`);
      if (code) assert.equal(answer.json.code, code);
      if (pointer) assert.ok(answer.json.errors.some((error) => error.pointer === pointer), answer.body);
      assert.equal(provider.receipts.length, before);
    });
  }

  test('S4-02 says 404 to an unknown id and to no id', async () => {
    for (const id of ['0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f', 'abc']) {
      const answer = await hub.api('GET', `/api/sms/${id}/status/`);
      assert.equal(answer.status, 404);
      assert.equal(answer.json.code, 'unknown_id');
    }
  });

  test('S4-22 turns a refusal of the provider into one answer of ours', async () => {
    provider.rule({ status: 400, body: { code: 21211, message: "Invalid 'To' Phone Number", status: 400 } });
    const answer = await sendSms({ to_phone: guest, message: 'Refused' });
    assert.equal(answer.status, 422, answer.body);
    assert.equal(String(answer.json.provider_code), '21211');
    assert.equal((await statusOf(answer.json.id)).status, 'FAILED');
  });

  test('S4-26 keeps one message for each provider message id', async () => {
    const fields = inboundFields({ from: guest, text: 'Only once' });
    for (let times = 0; times < 3; times += 1) assert.equal((await postHook(hub, '/hooks/sms/message', fields)).status, 200);
    await hub.routed();
    assert.equal((await hub.list(`/api/v1/messages?channel=sms&provider_id=${fields.MessageSid}`)).length, 1);
  });

  test('S4-27 stops the sixth equal text to one number within a minute', async () => {
    const statuses = [];
    for (let times = 0; times < 6; times += 1) statuses.push(await sendSms({ to_phone: '+15558675399', message: 'The same again' }));
    assert.deepEqual(statuses.map((answer) => answer.status), [201, 201, 201, 201, 201, 429]);
    assert.equal(statuses[5].json.code, 'rate_limited');
    assert.ok(Number(statuses[5].headers['retry-after']) > 0);
  });

  test('needs a caller who may: nobody is anonymous here (S70), a viewer does not send', async () => {
    assert.equal((await sendSms({ to_phone: guest, message: 'x' }, { role: null })).status, 401);
    assert.equal((await sendSms({ to_phone: guest, message: 'x' }, { role: 'viewer' })).status, 403);
  });

  test('S4-20 reads its settings from its own block, not from the environment', async (t) => {
    const other = await Hub.start({
      config: { plugins: { sms: smsInstance({ apiBase: provider.url }) } },
      env: { TWILIO_ACCOUNT_SID: 'AC00000000000000000000000000000bad', TWILIO_AUTH_TOKEN: 'not this one', DEFAULT_FROM: '+15005550009' },
    });
    t.after(() => other.remove());
    const answer = await other.api('POST', '/api/sms/send/', { to_phone: guest, message: 'Configured' });
    assert.equal(answer.status, 201, answer.body);
    assert.equal(answer.json.from_phone, ownNumber);
  });

  test('a missing setting is named with its place in the file (S4-20)', async (t) => {
    const broken = await Hub.start({ config: { plugins: {} } });
    t.after(() => broken.remove());
    broken.config.plugins = { sms: { plugin: 'twilio_sms', config: { account_sid: 'AC0123456789abcdef0123456789abcdef' } } };
    broken.writeConfig();
    const { code, stdout, stderr } = await broken.cli(['config', 'validate']);
    assert.equal(code, 1);
    assert.match(stdout + stderr, /patchbay\.yaml:\d+:\d+: plugins\.sms\.config.*auth_token/);
  });

  test('an inbound STOP closes the way for sends, a START opens it (S74)', async () => {
    const person = '+15558675355';
    await postHook(hub, '/hooks/sms/message', inboundFields({ from: person, text: 'STOP', sid: newSid() }));
    await hub.routed();
    const refused = await sendSms({ to_phone: person, message: 'Still there?' });
    assert.equal(refused.status, 422);
    assert.equal(refused.json.code, 'recipient_opted_out');
    await postHook(hub, '/hooks/sms/message', inboundFields({ from: person, text: 'START', sid: newSid() }));
    await hub.routed();
    assert.equal((await sendSms({ to_phone: person, message: 'Welcome back' })).status, 201);
  });
});
