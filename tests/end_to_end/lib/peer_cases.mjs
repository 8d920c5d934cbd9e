// Plays the cases of shared/peer_cases against a hub, by the rules of the README there.
import assert from 'node:assert/strict';

import { until } from './http.mjs';
import { Hub, smsInstance } from './hub.mjs';
import { sharedJson } from './places.mjs';
import { Provider } from './provider.mjs';
import { accountSid, encodeForm, inboundFields, newSid, postHook, signature } from './twilio.mjs';

const number = '+12028831111';

/** Rule 2: the helper that signs is checked before it is believed. */
export function assertReference(one) {
  const { reference_url: url, reference_value: value, secret } = one.signature;
  if (url) assert.equal(signature(secret, url, one.form), value, `${one.name}: the signing helper`);
}

/** A hub with an empty store (rule 1) whose only instance is the fixture of the case. */
export async function hubFor(one, fixtures, instance = {}) {
  const fixture = fixtures[one.channel_fixture];
  const provider = await Provider.start();
  provider.statuses = [];
  provider.account = { sid: one.form.AccountSid ?? fixture.account_sid ?? accountSid, token: fixture.auth_token };
  const hub = await Hub.start({
    config: {
      plugins: {
        sms: smsInstance({
          apiBase: provider.url,
          config: {
            account_sid: provider.account.sid, auth_token: provider.account.token, default_from: fixture.address?.startsWith('+') ? fixture.address : number,
            ...(fixture.messaging_service_sid ? { messaging_service_sid: fixture.messaging_service_sid } : {}),
          },
          aliases: {
            message: [`/webhooks/twilio/${one.channel_fixture}/receive`], status: [`/webhooks/twilio/${one.channel_fixture}/status`],
          },
          ...settingsOf(one),
          ...instance,
        }),
      },
    },
  });
  return { hub, provider, fixture, async remove() { await hub.remove(); await provider.stop(); } };
}

const targetOf = (one) => one.path_hint.replace('{channel}', one.channel_fixture);

/** Sends the request of the case, signed as its `signature.state` says. */
export async function play(one, { hub, fixture }, { target = targetOf(one) } = {}) {
  const fields = one.form;
  const { state } = one.signature;
  const headers = Object.fromEntries(Object.entries(one.headers).filter(([, value]) => value !== '{{sign}}'));
  if (state.startsWith('valid')) return postHook(hub, target, fields, { token: fixture.auth_token, headers });
  return hub.api('POST', target, undefined, { role: null, raw: encodeForm(fields), headers });
}

const incoming = (place, from, more = {}) => postHook(place.hub, `/webhooks/twilio/${place.fixtureName}/receive`,
  inboundFields({ from, to: number, text: 'before', sid: newSid(), account: place.provider.account.sid, ...more }),
  { token: place.fixture.auth_token });

/** What must be there before the case: made through the hooks and the API, as it would come about. */
export async function prepare(one, place) {
  const { hub, provider } = place;
  place.fixtureName = one.channel_fixture;
  for (const { contact, message, closed_conversation: closed } of (one.preconditions ?? [])) {
    if (contact) {
      const answer = await incoming(place, contact.phone, contact.name ? { ProfileName: contact.name } : {});
      assert.ok(answer.ok, `precondition: ${answer.status}`);
      await hub.routed();
      if (closed) await closeAll(hub);
    }
    if (message) await outgoing(place, message);
  }
  place.before = await hub.list('/api/v1/conversations');
  provider.requests.length = 0;
}

async function closeAll(hub) {
  for (const { id } of await hub.list('/api/v1/conversations?state=open')) {
    const answer = await hub.api('POST', `/api/v1/conversations/${id}/close`);
    assert.equal(answer.status, 200, answer.body);
  }
}

/** What the case asks of the instance. */
export function settingsOf(one) {
  const single = (one.preconditions ?? []).some(({ setting }) => setting?.single_conversation_per_contact);
  return single ? { single_conversation: true } : {};
}

/** An outgoing message with this provider id, taken to the status of the case by the callbacks that Twilio would send. */
async function outgoing(place, message) {
  const { hub, provider } = place;
  provider.rule({ sid: message.external_id, statuses: message.status === 'sent' ? ['sent'] : [] });
  const sent = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: number, text: 'before' });
  assert.equal(sent.status, 202, sent.body);
  place.outgoing = sent.json.id;
  const wanted = message.status === 'sent' ? 'sent' : 'accepted';
  await until(`the message of the precondition is ${wanted}`, async () => (await statusOf(place)) === wanted);
}

async function statusOf({ hub, outgoing: id }) {
  return (await hub.api('GET', `/api/v1/messages/${id}`)).json.status;
}

export async function inboundMessages(place) {
  const messages = await place.hub.list('/api/v1/messages?direction=in');
  return messages.filter((message) => message.text !== 'before');
}

export function fixturesAnd(name) {
  return { fixtures: sharedJson('peer_cases/fixtures.json').channels, ...sharedJson(`peer_cases/${name}`) };
}

/** The hub's view after the case, checked against `expected`. */
export async function check(one, place, answer) {
  const { expected } = one;
  assert.ok(expected.http.includes(answer.status), `answered ${answer.status} ${answer.body}, expected ${expected.http}`);
  if (expected.response_content_type) assert.match(answer.headers['content-type'], new RegExp(`^${expected.response_content_type}`));
  if (expected.response_body_contains) assert.ok(answer.body.includes(expected.response_body_contains), answer.body);
  await place.hub.routed();
  const kinds = { message: checkMessage, status: checkStatus, ignored: checkNothing, error: checkNothing };
  await kinds[expected.kind](one, place);
}

async function checkMessage(one, place) {
  const { expected } = one;
  const messages = await inboundMessages(place);
  assert.equal(messages.length, 1, 'one message is stored');
  const [message] = messages;
  const conversation = (await place.hub.api('GET', `/api/v1/conversations/${message.conversation_id}`)).json;
  assert.equal(message.text, expected.text);
  assert.equal(message.provider_id, expected.external_id);
  assert.equal(conversation.contact.address.value, expected.from);
  if (!expected.must_not_request) assert.deepEqual(message.media.map((item) => item.url ?? item.source), expected.media.map((item) => item.url));
  if (expected.contact_name !== undefined) assert.equal(conversation.contact.name, expected.contact_name);
  if (expected.contact_name_in) assert.ok(expected.contact_name_in.includes(conversation.contact.name), conversation.contact.name);
  if (expected.location) assert.deepEqual(await locationOf(place), expected.location);
  const before = place.before.map((known) => known.id);
  const which = { existing: true, reopened: true, new: false }[expected.conversation];
  if (expected.conversation === 'reopened') assert.equal(conversation.state, 'open');
  if (which !== undefined) assert.equal(before.includes(conversation.id), which, `the conversation is ${expected.conversation}`);
}

/** A position is part of the event: a message has no field for it. */
async function locationOf({ hub }) {
  const [event] = await hub.list('/api/v1/events?type=message.received');
  return event.data.location;
}

async function checkStatus(one, place) {
  const { expected } = one;
  await until(`the message is ${expected.status}`, async () => (await statusOf(place)) === expected.status);
  const message = (await place.hub.api('GET', `/api/v1/messages/${place.outgoing}`)).json;
  assert.equal(message.provider_id, expected.external_id);
  for (const error of expected.provider_errors ?? []) assert.equal(message.error.code, error.code);
  for (const event of expected.events ?? []) {
    assert.equal(event.type, 'opt_out');
    const again = await place.hub.api('POST', '/api/v1/messages', { channel: 'sms', to: event.from, text: 'again' });
    assert.equal(again.status, 422, 'who opted out gets nothing more');
    assert.equal(again.json.code, 'recipient_opted_out');
  }
}

async function checkNothing(one, place) {
  assert.deepEqual(await inboundMessages(place), [], 'no message is stored');
}
