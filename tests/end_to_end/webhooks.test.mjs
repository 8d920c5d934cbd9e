// Inbound SMS and status callbacks over HTTP, as judged by data that others wrote down: the request vectors of the contracts
// folder, and the cases of two other messaging products (shared/peer_cases).
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { assertReference, check, fixturesAnd, hubFor, inboundMessages, play, prepare } from './lib/peer_cases.mjs';
import { missing, sharedJson } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';

const vectors = 'contracts/vectors/twilio-webhooks.json';
const courier = 'peer_cases/courier_twilio_sms.json';
const chatwoot = 'peer_cases/chatwoot_twilio.json';

/** What the proxy in front of the vectors' hub strips: their paths lie below /hooks, where only instances have theirs. */
const proxyPrefix = '/hooks';

/** The hub of the vectors: their public URL, and their paths as aliases. */
async function vectorHub(provider) {
  return Hub.start({
    publicUrl: `https://hub.example.com${proxyPrefix}`,
    config: {
      plugins: {
        sms: smsInstance({ apiBase: provider.url, aliases: { message: ['/twilio/sms'], status: ['/twilio/sms/status'] } }),
      },
    },
  });
}

const replay = (hub, row) => send(hub.url, new URL(row.url).pathname.slice(proxyPrefix.length), { method: row.method, headers: row.headers, body: row.raw_body });

describe('a signed SMS webhook of the contract (S4-03, S4-24)', { skip: missing(vectors) }, () => {
  const rows = missing(vectors) ? [] : sharedJson(vectors).cases;
  const inbound = rows.filter((row) => row.kind === 'inbound_sms');
  const statuses = rows.filter((row) => row.kind === 'status_callback' && row.url.includes('/sms/'));

  test('has 10 inbound rows and 7 callbacks', () => {
    assert.deepEqual([inbound.length, statuses.length], [10, 7]);
  });

  test('becomes one message each', async (t) => {
    const provider = await Provider.start();
    const hub = await vectorHub(provider);
    t.after(async () => { await hub.remove(); await provider.stop(); });
    for (const row of inbound) {
      const answer = await replay(hub, row);
      assert.equal(answer.status, 200, `${row.name}: ${answer.body}`);
      assert.equal(answer.body, '<?xml version="1.0" encoding="UTF-8"?><Response/>');
      assert.match(answer.headers['content-type'], /^text\/xml/);
    }
    await hub.routed();
    const messages = await hub.list('/api/v1/messages?direction=in');
    const conversations = await hub.list('/api/v1/conversations');
    for (const row of inbound) {
      await t.test(row.name, () => {
        const found = messages.filter((message) => message.provider_id === row.expect.message_sid);
        assert.equal(found.length, 1);
        const { contact } = conversations.find((one) => one.id === found[0].conversation_id);
        assert.equal(found[0].text, row.expect.text);
        assert.equal(contact.address.value, row.expect.from);
        assert.deepEqual(found[0].media.map((item) => item.url), row.expect.media.map((item) => item.url));
      });
    }
  });

  // One SID goes through queued, sent, delivered and a late sent; the others end in failures with their codes.
  const ends = { queued: 'accepted', sent: 'sent', delivered: 'delivered', undelivered: 'failed', failed: 'failed', canceled: 'cancelled', read: 'read' };
  test('moves the status of the message it names, and never back (G8)', async (t) => {
    const provider = await Provider.start();
    provider.statuses = [];
    const hub = await vectorHub(provider);
    t.after(async () => { await hub.remove(); await provider.stop(); });
    const ids = new Map();
    for (const sid of new Set(statuses.map((row) => row.expect.message_sid))) {
      provider.rule({ sid });
      const sent = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: '+15558675310', text: `to be ${sid}` });
      assert.equal(sent.status, 202, sent.body);
      await until('the provider took it', async () => (await hub.api('GET', `/api/v1/messages/${sent.json.id}`)).json.provider_id === sid);
      ids.set(sid, sent.json.id);
    }
    for (const row of statuses) {
      await t.test(row.name, async () => {
        const answer = await replay(hub, row);
        assert.ok(answer.ok, String(answer.status));
        await hub.routed();
        const { status, error } = (await hub.api('GET', `/api/v1/messages/${ids.get(row.expect.message_sid)}`)).json;
        assert.equal(status, row.name === 'status sent, late' ? 'delivered' : ends[row.expect.status]);
        if (row.expect.error_code) assert.equal(error.code, String(row.expect.error_code));
      });
    }
  });
});

// Agreed differences, each with its reason (architecture.md 10.18, and what this product has no word for).
const agreed = {
  base64: 'bodies are taken as they are: a text that looks like base64 may be just that',
  forwardedPath: 'the signed URL is public_url and the target, never a header that a stranger can set',
  unsigned: 'a channel without signatures exists as `signatures: off` in development only',
  noFields: 'a well-formed body without the fields is answered 2xx and stored ignored: sending it again would not mend it',
  mediaFetch: 'the file itself is fetched by media tests; here the message has to carry its address',
};

function differenceOf(one) {
  if (one.name.endsWith('receive_base64')) return 'base64';
  if (one.name.endsWith('receive_forwarded_valid')) return 'forwardedPath';
  if (/\.(receive_no_params|status_invalid_status)$/.test(one.name)) return 'noFields';
  return null;
}

/** What holds instead of the peer's expectation. */
const instead = {
  async base64(one, place, answer) {
    assert.equal(answer.status, 200);
    await place.hub.routed();
    assert.deepEqual((await inboundMessages(place)).map((message) => message.text), [one.form.Body]);
  },
  async forwardedPath(one, place, answer) {
    assert.equal(answer.status, 200, 'the signature of the real path is right, the header changes nothing');
  },
  async noFields(one, place, answer) {
    assert.ok(answer.ok, String(answer.status));
    await place.hub.routed();
    assert.deepEqual(await inboundMessages(place), []);
    const [row] = await place.hub.list('/api/v1/ingress');
    assert.equal(row.state, 'ignored');
    assert.ok(row.reason, 'the reason is kept');
  },
};

function peerSuite(title, file, count, { instanceOf = () => ({}) } = {}) {
  const absent = missing(file, 'peer_cases/fixtures.json');
  describe(title, { skip: absent, concurrency: 4 }, () => {
    const { cases, fixtures } = absent ? { cases: [] } : fixturesAnd(file.split('/')[1]);
    const sms = cases.filter((one) => one.channel === 'twilio_sms');
    let ran = 0;
    after(() => assert.equal(ran, count, 'every case ran'));
    for (const one of sms) {
      test(one.name, async (t) => {
        ran += 1;
        assertReference(one);
        const place = await hubFor(one, fixtures, instanceOf(one));
        t.after(() => place.remove());
        await prepare(one, place);
        const target = one.path_hint.replace('{channel}', one.channel_fixture)
          .replace(/uuid=[0-9a-f-]{36}/, `uuid=${place.outgoing}`);
        const answer = await play(one, place, { target });
        const difference = differenceOf(one);
        if (difference) {
          t.diagnostic(`differs: ${agreed[difference]}`);
          await instead[difference](one, place, answer);
        } else {
          await check(one, place, answer);
        }
      });
    }
  });
}

// SignalWire's channels are unsigned in courier: here that is a switch of the instance, for development (X6).
peerSuite('a case of courier', courier, 55, {
  instanceOf: (one) => (one.channel_fixture === 'signalwire' ? { signatures: 'off' } : {}),
});
peerSuite('a case of chatwoot', chatwoot, 28);

test('the peers have no sequence of SMS alone', { skip: missing('peer_cases/sequences.json') }, () => {
  const { sequences } = sharedJson('peer_cases/sequences.json');
  assert.equal(sequences.filter((one) => one.steps.every((step) => step.channel === 'twilio_sms')).length, 0);
});
