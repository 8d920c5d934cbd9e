// What an operator sees of one request: its line in the access log, its ids in other lines, and its trace at the provider.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { build } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';
const keys = ['ts', 'level', 'component', 'msg', 'fields', 'request_id', 'trace_id'];

/** Lines of the log that are JSON; what the console prints beside them is not. */
const logLines = (hub) => hub.log.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const accessLines = (hub) => logLines(hub).filter((line) => line.component === 'access');
const found = (what, hub, wanted) => until(what, () => accessLines(hub).find(wanted));

describe('the log as JSON', () => {
  let provider;
  let hub;
  before(async () => {
    provider = await Provider.start();
    hub = await Hub.start({
      config: {
        log: { level: 'debug', format: 'json', file: '' },
        server: { trusted_proxies: ['127.0.0.1'] },
        plugins: {
          replies: { plugin: 'auto_reply', config: { rules: [], otherwise: 'Thank you' } },
          sms: smsInstance({ apiBase: provider.url, flow: 'replies' }),
        },
      },
    });
  });
  after(async () => { await hub?.remove(); await provider?.stop(); });

  test('has a line for each request, without what somebody sent', async () => {
    await send(hub.url, '/api/v1/messages?contact=%2B15558675310&token=secret-token-of-somebody&27123456789=x', {
      headers: { 'x-request-id': 'access-1', 'x-forwarded-for': '203.0.113.77' },
    });
    const line = await found('the line is there', hub, (one) => one.request_id === 'access-1');
    assert.deepEqual(Object.keys(line), keys);
    assert.match(line.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(line.trace_id, /^[0-9a-f]{32}$/);
    const { ms, ...fields } = line.fields;
    assert.match(ms, /^\d+\.\d\d$/);
    assert.deepEqual(fields, {
      method: 'GET', route: 'messages.list', path: '/api/v1/messages?contact=***&token=***&*=***', status: '401', bytes: fields.bytes, peer: '203.0.113.0/24',
    });
    assert.ok(Number(fields.bytes) > 50);
  });

  test('has no line for those who only look whether the hub lives', async () => {
    await send(hub.url, '/health/live', { headers: { 'x-request-id': 'watch-1' } });
    await send(hub.url, '/metrics', { headers: { 'x-request-id': 'watch-2' } });
    await send(hub.url, '/nobody/27123456789/+27123456789', { headers: { 'x-request-id': 'watch-3' } });
    const line = await found('the last one is there', hub, (one) => one.request_id === 'watch-3');
    assert.equal(line.fields.route, 'none');
    assert.equal(line.fields.path, '/nobody/27*****6789/+27*****6789');
    assert.deepEqual(accessLines(hub).filter((one) => /^watch-[12]$/.test(one.request_id)), []);
  });

  test('is whole lines of the same keys, whatever comes in (S83)', async () => {
    await send(hub.url, '/%0a%1b[31m%22%c2%9bx', { headers: { 'x-request-id': 'odd-1' } });
    await send(hub.url, '/nothing-odd', { headers: { 'x-request-id': 'odd-2' } });
    await found('the last one is there', hub, (one) => one.request_id === 'odd-2');
    for (const line of logLines(hub)) assert.deepEqual(Object.keys(line), keys);
    assert.doesNotMatch(hub.log, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

describe('a trace (W3C)', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  let provider;
  let hub;
  let asked;
  before(async () => {
    provider = await Provider.start();
    asked = [];
    // In front of the provider: the headers of each call.
    const front = http.createServer((request, response) => {
      asked.push(request.headers);
      const onwards = http.request(`${provider.url}${request.url}`, { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onwards);
    });
    await new Promise((resolve) => { front.listen(0, '127.0.0.1', resolve); });
    provider.front = front;
    hub = await Hub.start({
      config: {
        log: { level: 'debug', format: 'json', file: '' },
        plugins: {
          replies: { plugin: 'auto_reply', config: { rules: [], otherwise: 'Thank you' } },
          sms: smsInstance({ apiBase: `http://127.0.0.1:${front.address().port}`, flow: 'replies' }),
        },
      },
    });
  });
  after(async () => {
    await hub?.remove();
    provider?.front.closeAllConnections();
    await new Promise((resolve) => { provider.front.close(resolve); });
    await provider?.stop();
  });

  const callWith = (id) => until('the provider was called', () => asked.find((headers) => headers.traceparent?.includes(id)));

  test('goes from a webhook to the call that its reply leads to', async () => {
    await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: 'hello' }), { headers: { traceparent, 'x-request-id': 'traced-1' } });
    const call = await callWith(traceId);
    assert.match(call.traceparent, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.notEqual(call.traceparent, traceparent, 'the call is a span of its own');
    const line = await found('the webhook is in the access log', hub, (one) => one.trace_id === traceId);
    assert.equal(line.request_id, 'traced-1');
    const [job] = await hub.sql(`SELECT trace FROM jobs WHERE queue = 'sms' AND trace LIKE '%${traceId}%'`);
    assert.ok(job, 'the send carries it while it waits');
  });

  test('goes from a request of the API to the call', async () => {
    const other = traceId.replace('0a', 'bb');
    const answer = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'x' }, { headers: { traceparent: `00-${other}-b7ad6b7169203331-00` } });
    assert.equal(answer.status, 202);
    assert.match((await callWith(other)).traceparent, /-00$/, 'not sampled stays not sampled');
  });

  test('is made where none came, or one that is not to be taken over', async () => {
    const zeros = '0'.repeat(32);
    for (const [id, header] of [['made-1', {}], ['made-2', { traceparent: `00-${zeros}-b7ad6b7169203331-01` }], ['made-3', { traceparent: traceparent.toUpperCase() }]]) {
      const calls = asked.length;
      await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: id }), { headers: { ...header, 'x-request-id': id } });
      const line = await found('it is in the access log', hub, (one) => one.request_id === id);
      assert.match(line.trace_id, /^[0-9a-f]{32}$/);
      assert.notEqual(line.trace_id, zeros);
      assert.notEqual(line.trace_id, traceId);
      await until('the provider was called', () => asked.length > calls);
      await callWith(line.trace_id);
    }
  });
});

test('the access log can be off, or have every request', async () => {
  for (const [access, expected] of [['off', []], ['all', ['health.live', 'none']]]) {
    const hub = await Hub.start({ config: { log: { level: 'info', format: 'json', file: '', access }, plugins: {} } });
    try {
      await send(hub.url, '/health/live', { headers: { 'x-request-id': 'mine-1' } });
      await send(hub.url, '/nothing', { headers: { 'x-request-id': 'mine-2' } });
      const mine = () => accessLines(hub).filter((line) => line.request_id.startsWith('mine')).map((line) => line.fields.route);
      await hub.stop();  // All is written then.
      assert.deepEqual(mine(), expected);
    } finally {
      await hub.remove();
    }
  }
});

const isRelease = /^CMAKE_BUILD_TYPE:STRING=Release$/m.test(fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8'));

test('an idle hub takes less than 30 MB', { skip: !isRelease && 'only a release build is meant' }, async (t) => {
  const hub = await Hub.start({
    config: { plugins: { replies: { plugin: 'auto_reply', config: { rules: [], otherwise: 'Thank you' } }, sms: smsInstance({ flow: 'replies' }) } },
    judged: false,  // Making openapi.json leaves 8 MB with the allocator, and an idle hub has not made it.
  });
  try {
    for (let i = 0; i < 5; i += 1) await send(hub.url, '/metrics');
    const resident = () => Number(fs.readFileSync(`/proc/${hub.process.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)[1]);
    // It answers before it has given back what only the start needed.
    await until('the hub takes less than 30 MB', () => (resident() < 30_000 ? true : Promise.reject(new Error(`${resident()} kB`))), { seconds: 10 });
    t.diagnostic(`${resident()} kB resident`);
  } finally {
    await hub.remove();
  }
});
