// What stands around an answer: the id of the request, what a cache may keep, and which pages may read it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { send } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';

const origin = 'https://app.example';
/** One of each kind: ours, a plugin's, a provider's, a page; taken and refused. */
const targets = ['/health/live', '/api/v1/openapi.json', '/api/v1/users', '/api/v1/nowhere', '/api/sms/1/status/', '/hooks/sms/message', '/hooks/none/x', '/docs', '/docs/errors/busy', '/nowhere'];

describe('the headers of an answer', () => {
  let hub;
  before(async () => {
    hub = await Hub.start({ config: { plugins: { sms: smsInstance() }, server: { cors_origins: [origin, 'http://localhost:4200'] } } });
  });
  after(() => hub?.remove());

  const idOf = async (target, id) => (await send(hub.url, target, { headers: id === undefined ? {} : { 'x-request-id': id } })).headers['x-request-id'];

  test('X-Request-Id is on every one, and taken over where it is well-formed', async () => {
    const good = ['a', 'A-b_c.9', 'x'.repeat(64)];
    const bad = ['', 'x'.repeat(65), 'a b', 'a/b', 'ä', '<b>', 'a,b'];
    for (const target of targets) {
      assert.match(await idOf(target), /^[A-Za-z0-9._-]{1,64}$/, target);
      for (const id of good) assert.equal(await idOf(target, id), id, `${target} ${id}`);
      for (const id of bad) assert.notEqual(await idOf(target, id), id, `${target} ${id}`);
    }
    const twice = await idOf('/health/live', ['one', 'two']);
    assert.match(twice, /^[A-Za-z0-9._-]{1,64}$/);
    assert.notEqual(twice, 'one');
  });

  test('a refusal names the request by the same id', async () => {
    const answer = await send(hub.url, '/api/v1/users', { headers: { 'x-request-id': 'mine-1' } });
    assert.equal(answer.status, 401);
    assert.equal(answer.json.instance, 'mine-1');
  });

  test('no cache keeps an answer of the API', async () => {
    for (const target of targets.filter((one) => one.startsWith('/api'))) {
      assert.equal((await send(hub.url, target)).headers['cache-control'], 'no-store', target);
    }
    for (const [method, target] of [['GET', '/api/v1/users'], ['POST', '/api/v1/users'], ['DELETE', '/api/v1/messages'], ['POST', '/api/sms/send/']]) {
      const answer = await hub.api(method, target, method === 'POST' ? {} : undefined);
      assert.equal(answer.headers['cache-control'], 'no-store', `${method} ${target} ${answer.status}`);
    }
  });

  test('a page has a policy that runs and frames nothing of others (S6C)', async () => {
    for (const target of ['/docs', '/docs/', '/docs/docs.js', '/docs/errors', '/docs/errors/invalid_json', '/welcome', '/invite', '/welcome.js']) {
      const { status, headers } = await send(hub.url, target);
      assert.equal(status, 200, target);
      assert.match(headers['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self';.* frame-ancestors 'none'/);
      assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*|data:/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
      assert.equal(headers['strict-transport-security'], undefined, 'this hub is asked over plain HTTP');
    }
  });

  const corsOf = ({ headers }) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

  test('a page of a listed origin may read answers and refusals, with credentials (S6B)', async () => {
    for (const target of ['/api/v1/users', '/api/v1/nowhere', '/health/live', '/api/sms/1/status/']) {
      const answer = await send(hub.url, target, { headers: { origin } });
      assert.equal(answer.headers['access-control-allow-origin'], origin, target);
      assert.equal(answer.headers['access-control-allow-credentials'], 'true');
      assert.match(answer.headers.vary, /\bOrigin\b/);
    }
  });

  test('its preflight is answered with 204 before anybody signs in (S6B)', async () => {
    const asked = { origin: 'http://localhost:4200', 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization,content-type' };
    const answer = await send(hub.url, '/api/v1/users/1', { method: 'OPTIONS', headers: asked });
    assert.equal(answer.status, 204);
    assert.equal(answer.body, '');
    assert.equal(answer.headers['access-control-allow-origin'], 'http://localhost:4200');
    assert.match(answer.headers['access-control-allow-methods'], /\bPATCH\b/);
    assert.match(answer.headers['access-control-allow-headers'], /\bAuthorization\b.*\bContent-Type\b/);
    assert.match(answer.headers.vary, /\bOrigin\b/);
  });

  test('any other origin gets no CORS header at all (S6B)', async () => {
    const others = ['null', '*', 'https://app.example.evil.org', 'https://evilapp.example', 'https://x.app.example', 'http://app.example', 'https://app.example:8443', `${origin}/`, `${origin}, https://evil.org`];
    for (const other of others) {
      for (const method of ['GET', 'OPTIONS']) {
        const answer = await send(hub.url, '/api/v1/users', { method, headers: { origin: other, 'access-control-request-method': 'GET' } });
        assert.deepEqual(corsOf(answer), {}, `${method} from ${other}`);
        assert.match(answer.headers.vary, /\bOrigin\b/, 'a cache must not give this answer to a listed one');
      }
    }
  });

  test('a hub without cors_origins has no CORS (S6B)', async (t) => {
    const plain = await Hub.start();
    t.after(() => plain.remove());
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await send(plain.url, '/api/v1/users', { method, headers: { origin, 'access-control-request-method': 'GET' } });
      assert.deepEqual(corsOf(answer), {});
    }
  });
});
