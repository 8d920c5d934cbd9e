// Faults of the catalogue (guarantees section 12) that a test can bring about in seconds. The kill -9 checker (F01, F02) is
// tests/faults/run.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { answerRule, Load } from '../faults/load.mjs';
import { drain, judge } from '../faults/verdict.mjs';
import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { build } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook, statusFields } from './lib/twilio.mjs';

const guest = '+15558675310';

async function place({ statuses = [], limits = {} } = {}) {
  const provider = await Provider.start();
  provider.statuses = statuses;
  const hub = await Hub.start({
    config: {
      log: { level: 'warn', format: 'text', file: '' },
      plugins: {
        sms: smsInstance({ apiBase: provider.url, flow: 'replies', limits: { concurrency: 16, ...limits } }),
        replies: { plugin: 'auto_reply', config: { rules: [answerRule] } },
      },
    },
  });
  return { hub, provider, async remove() { await hub.remove(); await provider.stop(); } };
}

const messageOf = async (hub, id) => (await hub.api('GET', `/api/v1/messages/${id}`)).json;

async function queue(hub, text, { to = guest, headers } = {}) {
  const answer = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to, text }, { headers });
  assert.equal(answer.status, 202, answer.body);
  return answer.json.id;
}

test('F06 a stop under load ends in time, and nothing acknowledged is lost (G11)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  provider.delayMs = 20;
  const load = new Load({ hub, token: await hub.token(), conversations: 100, webhooksPerSecond: 150, sendsPerSecond: 60 });
  load.start();
  await until('traffic flows', () => load.webhooks.length > 200 && load.sends.length > 60);
  const end = await hub.stop();
  assert.equal(end.code, 0);
  assert.ok(end.seconds <= 30, `${end.seconds} s`);
  await hub.launch();
  await until('traffic flows again', () => load.webhooks.length > 400);
  await load.stop();
  assert.deepEqual(load.strange, [], 'no 5xx besides 503');
  assert.ok(await drain(hub, { seconds: 60 }), 'what was owed is done');
  const verdict = await judge({ hub, provider, load });
  assert.deepEqual({ ...verdict.counts, broken: verdict.broken, unknown: verdict.unknown },
    { lost: 0, duplicated: 0, reordered: 0, regressed: 0, broken: [], unknown: 0 }, verdict.examples.join('\n'));
});

const planted = path.join(build, 'planted/one');
test('F07 a handler that hangs does not keep the process from its end (G11)', { skip: fs.existsSync(planted) ? false : 'no planted plugins in this build' }, async (t) => {
  const hub = await Hub.start({
    config: { plugin_path: [planted], plugins: { stuck: { plugin: 'faulty', isolation: 'none', config: { token: 'of the test' } } } },
  });
  t.after(() => hub.remove());
  const sent = await hub.api('POST', '/api/v1/messages', { channel: 'stuck', to: guest, text: 'hang' });
  assert.equal(sent.status, 202, sent.body);
  await until('it hangs', async () => (await messageOf(hub, sent.json.id)).status === 'sending');
  const end = await hub.stop();
  assert.equal(end.code, 0);
  assert.ok(end.seconds <= 30, `${end.seconds} s`);
  assert.match(hub.log, /something hangs and is left behind.* part="sends and flow steps"/);
  await hub.launch();
  await until('its outcome is unknown', async () => (await messageOf(hub, sent.json.id)).status === 'unknown');
});

test('F01 after a kill the work goes on within 5 s of READY (G10)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const ask = async (text) => assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text }))).status, 200);
  await ask('please, before');
  await until('it is answered', () => provider.receipts.length === 1);
  await ask('please, just then');
  await hub.kill();
  assert.ok((await hub.launch()) <= 5000, 'ready within 5 s');
  // Another guest: the answer that was under way may be unknown, and then its own conversation waits for the look-up (G5, G7).
  assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: '+15558675311', text: 'please, after' }))).status, 200);
  await until('the next one is answered', () => provider.receipts.some((receipt) => receipt.to === '+15558675311'), { seconds: 5 });
  await until('the one under way is answered too', () => provider.receipts.length === 3, { seconds: 40 });
});

describe('F20 a provider that accepts and whose answer is lost', { concurrency: true }, () => {
  test('is asked what became of the message, which is not sent again', async (t) => {
    const { hub, provider, remove } = await place();
    t.after(remove);
    provider.rule({ drop: 'after' });
    const id = await queue(hub, 'only once');
    await until('the outcome is unknown', async () => (await messageOf(hub, id)).status === 'unknown');
    const message = await until('the look-up found it', async () => {
      const now = await messageOf(hub, id);
      return now.status === 'accepted' || now.status === 'sent' ? now : null;
    }, { seconds: 60, everyMs: 250 });
    assert.equal(message.provider_id, provider.receipts[0].sid);
    assert.equal(provider.receipts.length, 1);
    assert.ok(provider.requests.some((one) => one.method === 'GET'), 'by a look-up');
  });

  test('is believed when its callback comes first', async (t) => {
    const { hub, provider, remove } = await place();
    t.after(remove);
    provider.rule({ drop: 'after', statuses: ['delivered'] });
    const id = await queue(hub, 'called back');
    await until('it is delivered', async () => (await messageOf(hub, id)).status === 'delivered', { seconds: 40 });
    assert.equal(provider.receipts.length, 1);
  });

  test('is asked again where it never had the message, which then goes out', async (t) => {
    const { hub, provider, remove } = await place();
    t.after(remove);
    provider.rule({ drop: 'before' });
    const id = await queue(hub, 'never arrived');
    await until('it is accepted', async () => (await messageOf(hub, id)).status === 'accepted', { seconds: 90, everyMs: 250 });
    assert.equal(provider.receipts.length, 1);
  });

  test('holds back the next message of that conversation, and no other (G5)', async (t) => {
    const { hub, provider, remove } = await place();
    t.after(remove);
    provider.rule({ drop: 'after' });
    await queue(hub, 'first');
    await until('the first is at the provider', () => provider.receipts.length === 1);
    await queue(hub, 'second');
    const other = await queue(hub, 'elsewhere', { to: '+15558675399' });
    await until('the other conversation goes on', async () => (await messageOf(hub, other)).status === 'accepted');
    assert.deepEqual(provider.receipts.map((one) => one.body), ['first', 'elsewhere']);
    await until('the second follows', () => provider.receipts.length === 3, { seconds: 60, everyMs: 250 });
    assert.deepEqual(provider.receipts.map((one) => one.body), ['first', 'elsewhere', 'second']);
  });
});

test('F30 one webhook fifty times at once has one effect (G3)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
  t.after(() => agent.destroy());
  const fields = inboundFields({ from: guest, text: 'please, once' });
  const answers = await Promise.all(Array.from({ length: 50 }, () => postHook(hub, '/hooks/sms/message', fields, { agent })));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  await hub.routed();
  await until('the flow answered', () => provider.receipts.length > 0);
  assert.ok(await drain(hub, { seconds: 20 }));
  assert.equal((await hub.list('/api/v1/messages?direction=in')).length, 1);
  assert.equal(provider.receipts.length, 1);
});

test('F32 two first messages of a new contact at once make one conversation, a thousand times', async (t) => {
  const { hub, remove } = await place();
  t.after(remove);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });
  t.after(() => agent.destroy());
  const phones = Array.from({ length: 1000 }, (_, index) => `+1555${String(3_000_000 + index)}`);
  for (let from = 0; from < phones.length; from += 25) {
    const pairs = phones.slice(from, from + 25).flatMap((phone) => ['first', 'second'].map((text) => inboundFields({ from: phone, text })));
    const answers = await Promise.all(pairs.map((fields) => postHook(hub, '/hooks/sms/message', fields, { agent })));
    assert.ok(answers.every((answer) => answer.status === 200));
  }
  await hub.routed({ seconds: 60 });
  const [counts] = await hub.sql(`SELECT (SELECT count(*) FROM contacts) AS contacts, (SELECT count(*) FROM addresses) AS addresses,
    (SELECT count(*) FROM conversations) AS conversations, (SELECT count(*) FROM messages) AS messages`);
  assert.deepEqual(counts, { contacts: 1000, addresses: 1000, conversations: 1000, messages: 2000 });
});

describe('F33 an API POST that is repeated with its key (G4)', () => {
  let at;
  before(async () => { at = await place(); });
  after(() => at?.remove());
  const post = (body, key, options) => at.hub.api('POST', '/api/v1/messages', body, { headers: { 'idempotency-key': key }, ...options });
  const body = (text) => ({ channel: 'sms', to: guest, text });

  test('same body: the first answer again, marked, and one message', async () => {
    const first = await post(body('same'), 'key-same');
    const second = await post(body('same'), 'key-same');
    assert.deepEqual([first.status, second.status], [202, 202]);
    assert.equal(second.body, first.body);
    assert.equal(first.headers['idempotent-replayed'], undefined);
    assert.equal(second.headers['idempotent-replayed'], 'true');
    await until('it is at the provider', () => at.provider.receipts.some((one) => one.body === 'same'));
    assert.ok(await drain(at.hub, { seconds: 20 }));
    assert.equal(at.provider.receipts.filter((one) => one.body === 'same').length, 1);
  });

  test('other body: refused', async () => {
    await post(body('mine'), 'key-other');
    const answer = await post(body('theirs'), 'key-other');
    assert.equal(answer.status, 422);
    assert.equal(answer.json.code, 'idempotency_mismatch');
  });

  test('many at once: one runs, the others wait for it or repeat its answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(body('at once'), 'key-parallel')));
    const done = answers.filter((answer) => answer.status === 202);
    assert.ok(done.length > 0);
    assert.equal(new Set(done.map((answer) => answer.json.id)).size, 1);
    for (const answer of answers.filter((one) => one.status !== 202)) {
      assert.deepEqual([answer.status, answer.json.code, Number(answer.headers['retry-after']) > 0], [409, 'idempotency_running', true]);
    }
    assert.equal((await post(body('at once'), 'key-parallel')).headers['idempotent-replayed'], 'true');
  });

  test('on the path of a plugin: the same rules', async () => {
    const send = (message, key) => at.hub.api('POST', '/api/sms/send/', { to_phone: guest, message }, { headers: { 'idempotency-key': key } });
    const first = await send('by path', 'key-path');
    const second = await send('by path', 'key-path');
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(second.body, first.body);
    assert.deepEqual([first.headers['idempotent-replayed'], second.headers['idempotent-replayed']], [undefined, 'true']);
    const other = await send('another text', 'key-path');
    assert.deepEqual([other.status, other.json.code], [422, 'idempotency_mismatch']);

    at.provider.rule({ delayMs: 3000 });
    const slow = send('slowly', 'key-slow');
    await until('it is at work', () => at.provider.requests.some((request) => request.form.get('Body') === 'slowly'));
    const meanwhile = await send('slowly', 'key-slow');
    assert.deepEqual([meanwhile.status, meanwhile.json.code, meanwhile.headers['retry-after']], [409, 'idempotency_running', '1']);
    assert.equal((await slow).status, 201);
    assert.equal((await send('slowly', 'key-slow')).headers['idempotent-replayed'], 'true');
    for (const text of ['by path', 'slowly']) assert.equal(at.provider.receipts.filter((one) => one.body === text).length, 1, text);

    const refused = [await send('', 'key-refused'), await send('', 'key-refused')];
    assert.deepEqual(refused.map((answer) => [answer.status, answer.headers['idempotent-replayed']]), [[400, undefined], [400, 'true']]);
  });

  test('after a crash: the same message, not another', async () => {
    const first = await post(body('before the crash'), 'key-crash');
    await at.hub.kill();
    await at.hub.launch();
    const second = await post(body('before the crash'), 'key-crash');
    assert.deepEqual([second.status, second.json.id], [202, first.json.id]);
    assert.equal(second.headers['idempotent-replayed'], 'true');
  });

  test('a key that is none is refused', async () => {
    for (const key of ['', 'x'.repeat(256)]) {
      const answer = await post(body('bad key'), key);
      assert.deepEqual([answer.status, answer.json.code], [400, 'invalid_header']);
    }
  });
});

function permutations(items) {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]));
}

test('F34 callbacks in every order, with repeats, end at the highest rank and never step down (G8)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  // Ranks of guarantees section 4; Twilio's words on the left.
  const ranks = { queued: 30, sent: 40, failed: 45, delivered: 50, read: 60 };
  const ours = { accepted: 30, sent: 40, failed: 45, delivered: 50, read: 60 };
  const sets = [['queued', 'sent', 'delivered', 'read'], ['queued', 'sent', 'failed'], ['sent', 'failed', 'delivered']];
  const orders = sets.flatMap(permutations);
  assert.equal(orders.length, 24 + 6 + 6);
  await Promise.all(orders.map(async (order, index) => {
    const to = `+1555${4_000_000 + index}`;
    const id = await queue(hub, `order ${index}`, { to });
    const receipt = await until('the provider has it', () => provider.receipts.find((one) => one.to === to));
    await until('the hub knows', async () => (await messageOf(hub, id)).provider_id === receipt.sid);
    let before = 0;
    for (const status of [...order, order[0], ...order]) {
      const answer = await postHook(hub, '/hooks/sms/status', statusFields({ sid: receipt.sid, status, to }));
      assert.ok(answer.ok);
      const now = ours[(await messageOf(hub, id)).status];
      assert.ok(now >= before, `${order}: stepped from ${before} to ${now}`);
      before = now;
    }
    const best = Math.max(...order.map((status) => ranks[status]));
    await until(`${order} ends at its highest rank`, async () => ours[(await messageOf(hub, id)).status] === best);
  }));
});

test('F35 a callback that comes before the answer to the send is applied (G9)', async (t) => {
  const { hub, provider, remove } = await place();
  t.after(remove);
  provider.rule({ callbackFirst: true, statuses: ['sent', 'delivered'], delayMs: 1000 });
  const id = await queue(hub, 'faster than its answer');
  const message = await until('it is delivered and linked', async () => {
    const now = await messageOf(hub, id);
    return now.status === 'delivered' && now.provider_id ? now : null;
  });
  assert.equal(message.provider_id, provider.receipts[0].sid);
  assert.equal(provider.receipts.length, 1);
});
