// What becomes of a message for each answer and each callback of Twilio's in the shared table (S4-22), over HTTP against the real binary.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { missing, sharedJson } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';

const file = 'contracts/vectors/provider-errors.json';
const absent = missing(file);

describe('an error of the provider (S4-22)', { skip: absent, concurrency: true }, () => {
  const cases = absent ? [] : sharedJson(file).cases.filter((one) => one.provider === 'twilio');
  let hub;
  let provider;
  let ran = 0;
  let guests = 0;
  // A provider hands its rules out in order, so one row after the other gets its first answer.
  let turn = Promise.resolve();

  before(async () => {
    provider = await Provider.start();
    provider.statuses = [];
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url, limits: { concurrency: 16 } }) } } });
    await hub.token();
  });
  after(async () => {
    await hub?.remove();
    await provider?.stop();
    assert.equal(ran, 17, 'every row of Twilio\'s messages ran');
  });

  const place = () => ({ hub, provider });
  const triesFor = (to, at = provider) => at.requests.filter((one) => one.method === 'POST' && one.form.get('To') === to);
  const messageOf = async (id, at = hub) => (await at.api('GET', `/api/v1/messages/${id}`)).json;

  /** Queues a message to a number of its own, and waits until the provider was asked once. */
  async function send(rule, at = place()) {
    const before = turn;
    let done;
    turn = new Promise((resolve) => { done = resolve; });
    await before;
    try {
      guests += 1;
      const to = `+155586${String(75000 + guests)}`;
      if (rule) at.provider.rule(rule);
      const answer = await at.hub.api('POST', '/api/v1/messages', { channel: 'sms', to, text: 'Your table is ready' });
      assert.equal(answer.status, 202, answer.body);
      await until('the provider was asked', () => triesFor(to, at.provider).length > 0);
      return { id: answer.json.id, to };
    } finally {
      done();
    }
  }

  /** The message leaves after all, once. */
  async function leaves({ id, to }, row) {
    const message = await until('it is accepted', async () => {
      const now = await messageOf(id);
      return now.status === 'accepted' ? now : null;
    }, { seconds: 90, everyMs: 200 });
    assert.equal(triesFor(to).length, 2);
    assert.deepEqual(provider.receipts.filter((one) => one.to === to).map((one) => one.sid), [message.provider_id]);
    // After an answer that leaves open whether there is a message the provider is asked for it first.
    const asked = provider.requests.some((one) => one.method === 'GET' && one.query.get('To') === to);
    assert.equal(asked, row.status !== 429 && row.status !== 503, 'a look-up');
  }

  async function fails({ id, to }, row) {
    const message = await until('it has failed', async () => {
      const now = await messageOf(id);
      return now.status === 'failed' ? now : null;
    });
    assert.equal(String(message.error.code), String(row.body.code));
    assert.equal(triesFor(to).length, 1, 'no second try');
    if (!row.expect.opt_out) return;
    const again = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to, text: 'and again' });
    assert.ok(again.status >= 400 && again.status < 500, String(again.status));
    assert.equal(again.json.code, 'recipient_opted_out');
  }

  /** In a hub of its own, since the whole channel stops. */
  async function stopsTheChannel(row, t) {
    const own = await Provider.start();
    own.statuses = [];
    const hubOfIts = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: own.url }) } } });
    t.after(async () => { await hubOfIts.remove(); await own.stop(); });
    const sent = await send({ status: row.status, body: row.body }, { hub: hubOfIts, provider: own });
    const channel = await until('the channel is paused', async () => {
      const answer = await hubOfIts.api('GET', '/api/v1/channels');
      return answer.json.items.find((one) => one.name === 'sms' && one.paused);
    });
    assert.equal(channel.paused, 'auth_failed');
    assert.equal(triesFor(sent.to, own).length, 1);
    // The operator has mended the credentials.
    assert.equal((await hubOfIts.api('POST', '/api/v1/channels/sms/resume')).status, 200);
    await until('the message that waited is accepted', async () => (await messageOf(sent.id, hubOfIts)).status === 'accepted');
    assert.equal(triesFor(sent.to, own).length, 2);
  }

  async function isReported(row) {
    const sent = await send();
    await until('it is accepted', async () => (await messageOf(sent.id)).status === 'accepted');
    const receipt = provider.receipts.find((one) => one.to === sent.to);
    const answer = await provider.callBack(receipt, row.body.MessageStatus, { ErrorCode: row.body.ErrorCode });
    assert.ok(answer.ok, String(answer.status));
    const message = await until('it has failed', async () => {
      const now = await messageOf(sent.id);
      return now.status === 'failed' ? now : null;
    });
    assert.equal(String(message.error.code), row.body.ErrorCode);
    assert.equal(triesFor(sent.to).length, 1, 'nothing is sent again by itself');
  }

  for (const row of cases) {
    test(`${row.name}: ${row.expect.action}`, async (t) => {
      ran += 1;
      if (row.where === 'status_callback') await isReported(row);
      else if (row.expect.action === 'stop_account') await stopsTheChannel(row, t);
      else {
        const sent = await send({ status: row.status, body: row.body, headers: row.headers });
        await (row.expect.action === 'fail' ? fails(sent, row) : leaves(sent, row));
      }
    });
  }
});
