// WhatsApp judged by parties that nobody here wrote: Prism holds every call against Twilio's OpenAPI document, Twilio's npm package has
// signed the shared webhooks, and two peers' test suites say what a message means.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, whatsappInstance } from './lib/hub.mjs';
import { startPrism } from './lib/judges.mjs';
import { missing, sharedJson } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { accountSid, encodeForm, inboundFields, newSid, ownNumber, postHook, signature } from './lib/twilio.mjs';

const template = 'HX0123456789abcdef0123456789abcdef';

describe('calls that Prism judges', { skip: missing('providers/run-prism.sh', 'specs/twilio/prism') }, () => {
  let prism;
  let hub;
  before(async () => {
    prism = await startPrism('twilio-api');
    const replies = { plugin: 'auto_reply', config: { rules: [{ contains: 'open', reply: 'Mon-Fri 9 to 5 & Sat 10+ hours 👍' }] } };
    hub = await Hub.start({ config: { plugins: { whatsapp: whatsappInstance({ apiBase: prism.url, flow: 'replies' }), replies } } });
  });
  after(async () => { await hub?.remove(); prism?.stop(); });

  const posts = async () => (await prism.requests()).filter((one) => one.method === 'POST' && one.status);
  const wanted = [
    ['text', { message_text: 'Job #42 done & dusted + paid 👍' }],
    ['image', { message_type: 'image', media_url: 'https://a.example/1.jpg?x=1&y=2', message_text: 'Look' }],
    ['video', { message_type: 'video', media_url: 'https://a.example/1.mp4' }],
    ['audio', { message_type: 'audio', message_text: 'https://a.example/1.ogg' }],
    ['document', { message_type: 'document', media_url: 'https://a.example/1.pdf' }],
    ['template', { content_sid: template, content_variables: { 1: 'Ann & Bo' } }],
  ];
  for (const [kind, content] of wanted) {
    test(`S3-01 S3-13 S3-26 a ${kind} is a call that Twilio would take`, async () => {
      const known = (await posts()).length;
      const answer = await hub.api('POST', '/api/whatsapp/send', { phone_number: '+27123456789', ...content });
      assert.equal(answer.status, 200, answer.body);
      const call = (await posts())[known];
      assert.equal(call.violations, undefined, 'no violation of the published contract');
      assert.deepEqual(call.warnings, [], 'every plus is escaped, every byte encoded');
      assert.equal(call.status, 201);
      assert.equal(new URLSearchParams(call.body).get('To'), 'whatsapp:+27123456789');
    });
  }

  test('S3-02 S3-18 so are the calls of a bulk send', async () => {
    const known = (await posts()).length;
    const answer = await hub.api('POST', '/api/whatsapp/send-bulk', { phone_numbers: ['+27123456781', '+27123456782', '+27123456783'], message_text: 'Maintenance alert' });
    assert.equal(answer.status, 202, answer.body);
    const calls = await until('all are with Twilio', async () => {
      const found = (await posts()).slice(known);
      return found.length === 3 ? found : null;
    });
    for (const call of calls) assert.deepEqual([call.violations, call.warnings, call.status], [undefined, [], 201]);
  });

  test('S3-10 S3-12 and the automatic answer to a signed question', async () => {
    const known = (await posts()).length;
    // Somebody to whom no person has written yet: those are answered by people.
    await postHook(hub, '/api/whatsapp/twilio-webhook', inboundFields({ from: 'whatsapp:+27123456781', to: `whatsapp:${ownNumber}`, text: 'When are you open?' }));
    const call = await until('the answer is offered', async () => (await posts())[known]);
    assert.deepEqual([call.violations, call.warnings, call.status], [undefined, [], 201]);
    assert.equal(new URLSearchParams(call.body).get('Body'), 'Mon-Fri 9 to 5 & Sat 10+ hours 👍');
  });
});

const vectors = 'contracts/vectors/twilio-webhooks.json';
describe('every WhatsApp webhook of the vectors, signed by Twilio\'s package', { skip: missing(vectors) }, () => {
  const cases = missing(vectors) ? [] : sharedJson(vectors).cases.filter((one) => JSON.stringify(one.params).includes('whatsapp:') && one.kind !== 'conversations_post');
  let hub;
  let ran = 0;
  before(async () => {
    const { auth_token: token } = cases[0];
    hub = await Hub.start({ config: { plugins: { whatsapp: whatsappInstance({ config: { auth_token: token } }) } } });
    await hub.token();
  });
  after(async () => {
    await hub?.remove();
    assert.equal(ran, 16, '11 messages and 5 callbacks');
  });

  for (const one of cases) {
    test(`S3-03 S3-21 S3-34 ${one.name}`, async () => {
      ran += 1;
      const target = '/api/whatsapp/twilio-webhook';
      const fields = one.params;
      assert.equal(signature(one.auth_token, one.url, Object.fromEntries(fields)), one.headers['X-Twilio-Signature'], 'the signing helper');
      const answer = await postHook(hub, target, Object.fromEntries(fields), { token: one.auth_token });
      assert.equal(answer.status, 200, answer.body);
      await hub.routed();
      const sid = one.expect.message_sid;
      const events = await hub.list('/api/v1/events');
      if (one.kind !== 'inbound_whatsapp') return assert.ok(events.some((event) => event.type === 'delivery.changed'));
      const [message] = await hub.list(`/api/v1/messages?channel=whatsapp&provider_id=${sid}`);
      assert.equal(message.text, one.expect.text);
      assert.equal(message.sender.name, one.expect.profile_name);
      assert.equal(message.media.length, one.expect.media.length);
    });
  }
});

// Differences that architecture decision 18 agrees on.
const noFields = /\.(status_no_params|status_invalid_status)$/;

async function placeFor(one, fixtures) {
  const fixture = fixtures[one.channel_fixture];
  const provider = await Provider.start();
  provider.statuses = [];
  const account = one.form.AccountSid ?? fixture.account_sid ?? accountSid;
  provider.account = { sid: account, token: fixture.auth_token };
  const config = { account_sid: account, auth_token: fixture.auth_token, from: `whatsapp:${fixture.address ?? '+12028831111'}` };
  const aliases = { message: [`/webhooks/twilio/${one.channel_fixture}/receive`], status: [`/webhooks/twilio/${one.channel_fixture}/status`] };
  const hub = await Hub.start({ config: { plugins: { whatsapp: whatsappInstance({ apiBase: provider.url, config, aliases }) } } });
  const place = { hub, provider, fixture, aliases, async remove() { await hub.remove(); await provider.stop(); } };
  place.post = (target, fields) => postHook(hub, target, fields, { token: fixture.auth_token });
  return place;
}

/** What was there before: a contact who wrote, a message that was sent. */
async function prepare(one, place) {
  for (const { contact, message } of one.preconditions ?? []) {
    if (contact) {
      const fields = inboundFields({ from: `whatsapp:${contact.phone}`, to: 'whatsapp:+12028831111', text: 'before', account: place.provider.account.sid });
      assert.ok((await place.post(place.aliases.message[0], fields)).ok);
    }
    if (message) {
      place.provider.rule({ sid: message.external_id, statuses: ['sent'] });
      const sent = await place.hub.api('POST', '/api/v1/messages', { channel: 'whatsapp', to: '+14133881111', text: 'before' });
      place.outgoing = sent.json.id;
      await until('it is sent', async () => (await place.hub.api('GET', `/api/v1/messages/${place.outgoing}`)).json.status === 'sent');
    }
  }
  await place.hub.routed();
  place.before = await place.hub.list('/api/v1/conversations');
}

async function checkMessage(one, place) {
  const { expected } = one;
  const messages = (await place.hub.list('/api/v1/messages?direction=in')).filter((message) => message.text !== 'before');
  assert.equal(messages.length, 1);
  const [message] = messages;
  assert.deepEqual([message.text, message.provider_id], [expected.text, expected.external_id]);
  const conversation = (await place.hub.api('GET', `/api/v1/conversations/${message.conversation_id}`)).json;
  const { value } = conversation.contact.address;
  const wanted = expected.from ?? expected.matched_contact;
  assert.equal(value, /^\d/.test(wanted) ? `+${wanted}` : wanted);
  if (expected.contact_name !== undefined) assert.equal(conversation.contact.name, expected.contact_name);
  if (expected.contact_name_in) assert.ok(expected.contact_name_in.includes(conversation.contact.name), conversation.contact.name);
  for (const identity of expected.also_identities ?? []) {
    const [contact] = await place.hub.list(`/api/v1/contacts?address=user:${identity.replace('whatsapp:', '')}`);
    assert.equal(contact?.id, conversation.contact.id);
  }
  const known = place.before.map((item) => item.id).includes(conversation.id);
  if (expected.conversation) assert.equal(known, expected.conversation === 'existing');
  if (expected.conversations_total) assert.equal((await place.hub.list('/api/v1/conversations')).length, expected.conversations_total);
}

async function checkStatus(one, place) {
  const message = (await place.hub.api('GET', `/api/v1/messages/${place.outgoing}`)).json;
  const wanted = { errored_retryable: 'failed' }[one.expected.status] ?? one.expected.status;
  assert.equal(message.status, wanted);
  for (const error of one.expected.provider_errors ?? []) assert.equal(message.error.code, error.code);
}

function peerSuite(title, file, count) {
  const absent = missing(file, 'peer_cases/fixtures.json');
  describe(title, { skip: absent, concurrency: 4 }, () => {
    const cases = absent ? [] : sharedJson(file).cases.filter((one) => one.channel === 'twilio_whatsapp');
    const fixtures = absent ? {} : sharedJson('peer_cases/fixtures.json').channels;
    let ran = 0;
    after(() => assert.equal(ran, count, 'every case ran'));
    for (const one of cases) {
      test(one.name, async (t) => {
        ran += 1;
        const place = await placeFor(one, fixtures);
        t.after(() => place.remove());
        await prepare(one, place);
        const target = one.path_hint.replace('{channel}', one.channel_fixture).replace(/uuid=[0-9a-f-]{36}/, `uuid=${place.outgoing}`);
        const answer = await place.post(target, one.form);
        await place.hub.routed();
        if (noFields.test(one.name)) {
          t.diagnostic('differs: answered 2xx and stored ignored, since sending it again would not mend it');
          assert.ok(answer.ok);
          const [row] = await place.hub.list('/api/v1/ingress');
          return assert.equal(row.state, 'ignored');
        }
        assert.ok(one.expected.http.includes(answer.status), String(answer.status));
        return one.expected.kind === 'status' ? checkStatus(one, place) : checkMessage(one, place);
      });
    }
  });
}

peerSuite('a WhatsApp case of courier', 'peer_cases/courier_twilio_whatsapp.json', 13);
peerSuite('a WhatsApp case of chatwoot', 'peer_cases/chatwoot_twilio.json', 15);

describe('sequences of chatwoot with WhatsApp over Twilio', { skip: missing('peer_cases/sequences.json') }, () => {
  const all = missing('peer_cases/sequences.json') ? [] : sharedJson('peer_cases/sequences.json').sequences;
  const mine = all.filter((one) => one.steps.every((step) => step.channel === 'twilio_whatsapp'));
  after(() => assert.equal(mine.length, 2));
  for (const one of mine) {
    test(one.name, async (t) => {
      const fixtures = sharedJson('peer_cases/fixtures.json').channels;
      const place = await placeFor({ ...one.steps[0] }, fixtures);
      t.after(() => place.remove());
      for (const step of one.steps) {
        assert.ok((await place.post(step.path_hint.replace('{channel}', step.channel_fixture), step.form)).ok);
        await place.hub.routed();
      }
      const contacts = await place.hub.list('/api/v1/contacts');
      assert.equal(contacts.length, one.expected_final.contacts_total);
      const phone = one.expected_final.contact_phone;
      if (phone) assert.ok(contacts[0].addresses.some((address) => address.value === phone));
      const messages = await place.hub.list('/api/v1/messages?direction=in');
      assert.deepEqual(messages.map((message) => message.text).sort(), [...one.expected_final.messages].sort());
      // S3's own view shows them all, under the phone.
      const shown = (await place.hub.api('GET', '/api/whatsapp/contacts')).json;
      assert.equal(shown.total_count, 1);
      if (phone) assert.equal(shown.contacts[0].phone_number, phone);
    });
  }
});

test('an unsigned webhook is nobody\'s', async (t) => {
  const hub = await Hub.start({ config: { plugins: { whatsapp: whatsappInstance() } } });
  t.after(() => hub.remove());
  const fields = inboundFields({ from: 'whatsapp:+27123456789', to: `whatsapp:${ownNumber}`, text: 'x', sid: newSid() });
  const answer = await send(hub.url, '/hooks/whatsapp/message', { method: 'POST', body: encodeForm(fields), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  assert.deepEqual([answer.status, answer.body], [401, '']);
});
