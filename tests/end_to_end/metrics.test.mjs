// GET /metrics: the families and labels of the API's description, and values that agree with what was done to the hub.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Socket } from './lib/live.mjs';
import { Metrics } from './lib/metrics.mjs';
import { Provider } from './lib/provider.mjs';
import { authToken, inboundFields, newSid, postHook } from './lib/twilio.mjs';

/** Type and labels of each family. */
const families = {
  patchbay_build_info: ['GAUGE', 'version', 'commit'],
  patchbay_ready: ['GAUGE'],
  patchbay_http_requests_total: ['COUNTER', 'route', 'method', 'status'],
  patchbay_http_request_seconds: ['HISTOGRAM', 'route'],
  patchbay_http_connections: ['GAUGE', 'kind'],
  patchbay_http_rejected_total: ['COUNTER', 'reason'],
  patchbay_ingress_total: ['COUNTER', 'instance', 'route', 'result'],
  patchbay_ingress_pending: ['GAUGE', 'instance'],
  patchbay_ingress_commit_seconds: ['HISTOGRAM'],
  patchbay_events_total: ['COUNTER', 'instance', 'type'],
  patchbay_duplicates_total: ['COUNTER', 'instance'],
  patchbay_messages_total: ['COUNTER', 'channel', 'direction', 'status'],
  patchbay_jobs: ['GAUGE', 'channel', 'state'],
  patchbay_job_wait_seconds: ['HISTOGRAM', 'channel'],
  patchbay_sends_total: ['COUNTER', 'channel', 'outcome'],
  patchbay_send_seconds: ['HISTOGRAM', 'channel'],
  patchbay_lease_lost_total: ['COUNTER', 'channel'],
  patchbay_breaker_open: ['GAUGE', 'channel'],
  patchbay_channel_paused: ['GAUGE', 'channel', 'reason'],
  patchbay_plugin_calls_total: ['COUNTER', 'instance', 'call', 'error'],
  patchbay_plugin_call_seconds: ['HISTOGRAM', 'instance', 'call'],
  patchbay_plugin_lost_threads: ['GAUGE', 'instance'],
  patchbay_websockets: ['GAUGE', 'endpoint'],
  patchbay_store_commit_seconds: ['HISTOGRAM', 'engine'],
  patchbay_spool_bytes: ['GAUGE'],
};

const guest = '+15558675310';

describe('the metrics of a hub that has worked', () => {
  let provider;
  let hub;
  let metrics;
  let socket;
  before(async () => {
    provider = await Provider.start();
    hub = await Hub.start({
      config: {
        plugins: {
          replies: { plugin: 'auto_reply', config: { rules: [], otherwise: 'Thank you' } },
          sms: smsInstance({ apiBase: provider.url, flow: 'replies' }),
        },
      },
    });
    for (let i = 0; i < 3; i += 1) assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: `hello ${i}` }))).status, 200);
    const twice = inboundFields({ from: guest, text: 'twice', sid: newSid() });
    for (let i = 0; i < 2; i += 1) assert.equal((await postHook(hub, '/hooks/sms/message', twice)).status, 200);
    assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: 'forged' }), { token: 'wrong' })).status, 401);
    // Well signed, and no UTF-8.
    const signed = Buffer.concat([Buffer.from(`${hub.publicUrl}/hooks/sms/messageBody`), Buffer.from([0xff])]);
    assert.equal((await send(hub.url, '/hooks/sms/message', {
      method: 'POST', body: 'Body=%FF',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': createHmac('sha1', authToken).update(signed).digest('base64') },
    })).status, 400);
    assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'by the API' })).status, 202);
    provider.rule({ status: 400, body: { code: 21211, message: 'The number is not valid', status: 400 } });
    assert.equal((await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: '+15558675399', text: 'to nobody' })).status, 202);
    assert.equal((await hub.api('GET', '/api/v1/messages', undefined, { role: null })).status, 401);
    socket = await Socket.of(hub);
    await hub.routed();
    // Four replies and one by the API, each accepted, sent and delivered; one refused.
    await until('all is delivered', async () => {
      metrics = await Metrics.of(hub);
      return metrics.value('patchbay_messages_total', { status: 'delivered' }) === 5
        && metrics.value('patchbay_messages_total', { status: 'failed' }) === 1;
    });
  });
  after(async () => { socket?.ws.terminate(); await hub?.remove(); await provider?.stop(); });

  test('has the 25 families with their types and labels, and no word about a guest', () => {
    assert.equal(metrics.contentType, 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(Object.keys(families).length, 25);
    for (const [name, [type, ...labels]] of Object.entries(families)) {
      const family = metrics.families.get(name);
      assert.ok(family, name);
      assert.equal(family.type, type, name);
      assert.ok(family.help.length > 5, name);
      assert.deepEqual(metrics.labelNames(name), [labels.sort().join()], name);
    }
    for (const line of metrics.text.split('\n')) {
      if (line.startsWith('patchbay_build_info{')) continue;  // A commit may be all digits.
      for (const value of line.matchAll(/="((?:[^"\\]|\\.)*)"/g)) assert.doesNotMatch(value[1], /\d{7}/, line);
      assert.doesNotMatch(line, /SM[0-9a-f]{8}|hello|Thank you/, line);
    }
    assert.deepEqual([...metrics.families.keys()].filter((name) => !name.startsWith('patchbay_')), []);
  });

  test('has buckets that add up', () => {
    for (const [name] of Object.entries(families).filter(([, [type]]) => type === 'HISTOGRAM')) {
      const buckets = metrics.samples(name, '_bucket');
      const counts = metrics.samples(name);
      assert.equal(buckets.length, counts.length * 19, name);
      for (const { labels = {}, value } of counts) {
        const mine = buckets.filter((one) => Object.entries(labels).every(([key, text]) => one.labels[key] === text)).map((one) => [Number(one.labels.le.replace('+Inf', 'Infinity')), Number(one.value)]);
        mine.sort(([a], [b]) => a - b);
        assert.equal(mine.length, 19, name);
        for (let i = 1; i < mine.length; i += 1) assert.ok(mine[i][1] >= mine[i - 1][1], name);
        assert.deepEqual(mine.at(-1), [Infinity, Number(value)], name);
      }
    }
  });

  test('counts webhooks by what became of them', () => {
    const of = (result) => metrics.value('patchbay_ingress_total', { instance: 'sms', route: 'message', result });
    assert.equal(of('stored'), 5);
    assert.equal(of('bad_signature'), 1);
    assert.equal(of('bad_body'), 1);
    assert.equal(metrics.value('patchbay_ingress_pending', { instance: 'sms' }), 0);
    assert.equal(metrics.value('patchbay_http_rejected_total', { reason: 'invalid_signature' }), 1);
    assert.equal(metrics.value('patchbay_http_rejected_total', { reason: 'invalid_form' }), 1);
    assert.equal(metrics.value('patchbay_http_rejected_total', { reason: 'unauthenticated' }), 1);
    const stored = metrics.value('patchbay_ingress_total', { result: 'stored' });
    assert.equal(metrics.value('patchbay_ingress_commit_seconds'), stored);
  });

  test('counts events, repeats and messages', () => {
    assert.equal(metrics.value('patchbay_events_total', { instance: 'sms', type: 'message.received' }), 4);
    assert.equal(metrics.value('patchbay_duplicates_total', { instance: 'sms' }), 1);
    assert.equal(metrics.value('patchbay_messages_total', { channel: 'sms', direction: 'in', status: 'received' }), 4);
    assert.equal(metrics.value('patchbay_messages_total', { channel: 'sms', direction: 'out', status: 'queued' }), 6);
    assert.equal(metrics.value('patchbay_messages_total', { channel: 'sms', direction: 'out', status: 'accepted' }), 5);
  });

  test('counts sends and jobs', async () => {
    assert.equal(metrics.value('patchbay_sends_total', { channel: 'sms', outcome: 'accepted' }), 5);
    assert.equal(metrics.value('patchbay_sends_total', { channel: 'sms', outcome: 'refused' }), 1);
    assert.equal(metrics.value('patchbay_send_seconds', { channel: 'sms' }), 6);
    assert.equal(metrics.value('patchbay_job_wait_seconds', { channel: 'sms' }), 6);
    assert.equal(metrics.value('patchbay_job_wait_seconds', { channel: 'flow' }), 4);
    const jobs = await hub.sql("SELECT queue, state, count(*) AS count FROM jobs WHERE state NOT IN ('done', 'cancelled') GROUP BY queue, state");
    for (const { queue, state, count } of jobs) assert.equal(metrics.value('patchbay_jobs', { channel: queue, state }), count);
    assert.equal(metrics.value('patchbay_jobs', { state: 'running' }), 0);
    assert.equal(metrics.value('patchbay_breaker_open'), 0);
    assert.equal(metrics.value('patchbay_channel_paused'), 0);
    assert.equal(metrics.value('patchbay_lease_lost_total'), 0);
  });

  test('counts calls of plugins', () => {
    assert.equal(metrics.value('patchbay_plugin_calls_total', { instance: 'sms', call: 'send', error: 'none' }), 6);
    assert.equal(metrics.value('patchbay_plugin_call_seconds', { instance: 'sms', call: 'send' }), 6);
    assert.equal(metrics.value('patchbay_plugin_calls_total', { instance: 'replies', call: 'run', error: 'none' }), 4);
    assert.equal(metrics.value('patchbay_plugin_lost_threads'), 0);
  });

  test('counts requests by the name of their route', () => {
    const of = (labels) => metrics.value('patchbay_http_requests_total', labels);
    assert.equal(of({ route: 'hook', method: 'POST', status: '401' }), 1);
    assert.equal(of({ route: 'hook', method: 'POST', status: '400' }), 1);
    assert.equal(of({ route: 'messages.create', method: 'POST', status: '202' }), 2);
    assert.equal(of({ route: 'messages.list', method: 'GET', status: '401' }), 1);
    assert.equal(of({ route: 'hook' }), metrics.value('patchbay_http_request_seconds', { route: 'hook' }));
    assert.ok(metrics.value('patchbay_http_connections', { kind: 'http' }) >= 1);
    assert.ok(metrics.value('patchbay_store_commit_seconds', { engine: 'sqlite' }) >= 5);
    assert.equal(metrics.value('patchbay_ready'), 1);
  });

  test('counts open sockets by the name of their route', async () => {
    assert.equal(metrics.value('patchbay_websockets', { endpoint: 'live' }), 1);
    assert.equal(metrics.value('patchbay_http_connections', { kind: 'websocket' }), 1);
    socket.ws.close();
    await until('it is closed', async () => (await Metrics.of(hub)).value('patchbay_websockets') === 0);
  });

  test('keeps its labels a small set whatever is asked for', async () => {
    const series = async () => (await Metrics.of(hub)).samples('patchbay_http_requests_total').length;
    await send(hub.url, '/nothing/here');
    await send(hub.url, '/api/v1/messages/x', { headers: { authorization: 'Bearer x' } });
    const before = await series();
    for (let i = 0; i < 40; i += 1) {
      const random = randomBytes(9).toString('hex');
      assert.equal((await send(hub.url, `/${random}/${i}`)).status, 404);
      assert.equal((await send(hub.url, `/api/v1/messages/${random}?${random}=1`, { headers: { authorization: 'Bearer x' } })).status, 401);
      assert.ok([404, 405, 501].includes((await send(hub.url, `/${random}`, { method: ['PROPFIND', 'SEARCH', 'MKCOL'][i % 3] })).status));
    }
    const now = await series();
    assert.ok(now <= before + 2, `${before} series before, ${now} afterwards`);
    assert.doesNotMatch((await Metrics.of(hub)).text, /PROPFIND|nothing|series="other"/);
  });

  test('shows a paused channel with its reason', async () => {
    provider.rule({ status: 401, body: { code: 20003, message: 'Authenticate', status: 401 } });
    await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'with a wrong token' });
    await until('the channel is paused', async () => (await Metrics.of(hub)).value('patchbay_channel_paused', { channel: 'sms', reason: 'auth_failed' }) === 1);
    const waiting = await Metrics.of(hub);
    assert.equal(waiting.value('patchbay_jobs', { channel: 'sms', state: 'ready' }), 1);
    assert.equal(waiting.value('patchbay_sends_total', { channel: 'sms', outcome: 'unauthorized' }), 1);
  });
});

describe('who may read metrics', () => {
  let hub;
  before(async () => {
    hub = await Hub.start({ config: { server: { trusted_proxies: ['127.0.0.1', '10.1.2.0/24'] }, plugins: {} } });
  });
  after(() => hub?.remove());
  const asked = (from, headers = {}) => send(hub.url, '/metrics', { headers: { ...(from ? { 'x-forwarded-for': from } : {}), ...headers } });

  test('everybody on this machine and in the network of the proxies', async () => {
    assert.equal((await asked()).status, 200);
    assert.equal((await asked('10.1.2.3')).status, 200);
  });

  test('from elsewhere owner and admin', async () => {
    assert.equal((await asked('203.0.113.9')).status, 401);
    for (const [role, status] of [['owner', 200], ['admin', 200], ['agent', 403], ['viewer', 403], ['expert', 403]]) {
      assert.equal((await asked('203.0.113.9', { authorization: `Bearer ${await hub.token(role)}` })).status, status, role);
    }
  });

  test('from elsewhere a key with the scope for it', async () => {
    for (const [scope, status] of [['metrics:read', 200], ['messages:read', 403]]) {
      const made = await hub.api('POST', '/api/v1/api-keys', { name: scope, scopes: [scope] });
      assert.equal(made.status, 201, made.body);
      assert.equal((await asked('203.0.113.9', { 'x-api-key': made.json.key })).status, status, scope);
    }
  });

  test('nobody whose request was handed on by a proxy that is not trusted', async () => {
    const plain = await Hub.start({ config: { plugins: {} } });
    try {
      assert.equal((await send(plain.url, '/metrics')).status, 200);
      assert.equal((await send(plain.url, '/metrics', { headers: { 'x-forwarded-for': '127.0.0.1' } })).status, 401);
    } finally {
      await plain.remove();
    }
  });
});
