// Who may in, and what is left of it: the first owner, the cookie, keys, logout, the audit record (security.md sections 5 and 7).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';

const password = 'correct horse battery';
const email = 'ann@example.org';

describe('people', () => {
  let hub;
  before(async () => { hub = await Hub.start({ config: { plugins: { sms: smsInstance() } } }); });
  after(async () => { await hub?.remove(); });

  const post = (target, body, headers = {}) => send(hub.url, target, {
    method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers },
  });
  const get = (target, headers) => send(hub.url, target, { headers });
  const bearer = (token) => ({ authorization: `Bearer ${token}` });
  const login = (more = {}) => post('/api/v1/auth/login', { email, password, ...more });
  const cookieOf = (answer) => answer.headers['set-cookie'][0].split(';')[0];

  test('S62: the first start prints a link, which makes the first owner once', async () => {
    const [, link] = hub.log.match(/first owner +(\S+)/);
    const { pathname, hash } = new URL(link);
    const page = await get(pathname);
    assert.equal(page.status, 200);
    assert.match(page.headers['content-security-policy'], /frame-ancestors 'none'/);
    const owner = { ticket: hash.slice(1), email, name: 'Ann Lee', password };
    const made = await post('/api/v1/auth/first-owner', owner);
    assert.equal(made.status, 200, made.body);
    assert.equal(made.json.user.role, 'owner');
    assert.equal((await post('/api/v1/auth/first-owner', { ...owner, email: 'eve@example.org' })).status, 401);
  });

  test('S62: a later start with users prints none', async () => {
    const before = hub.log.match(/first owner/g).length;
    await hub.stop();
    await hub.launch();
    assert.equal(hub.log.match(/first owner/g).length, before);
  });

  test('S63, S6A: the cookie signs in, and does nothing for a foreign page', async () => {
    const cookie = cookieOf(await login({ session: true }));
    assert.match(cookie, /^__Host-pb=[\w-]{43}$/);
    assert.equal((await get('/api/v1/auth/me', { cookie })).json.email, email);
    const user = { email: 'bo@example.org', name: 'Bo', role: 'agent' };
    const foreign = await post('/api/v1/users', user, { cookie, origin: 'https://evil.example' });
    assert.deepEqual([foreign.status, foreign.json.code], [403, 'csrf_refused']);
    assert.equal((await post('/api/v1/users', user, { cookie, origin: hub.publicUrl })).status, 201);
  });

  test('S63: logout ends cookie and tokens at once, also over a restart', async () => {
    const signedIn = await login({ session: true });
    const cookie = cookieOf(signedIn);
    const { token } = signedIn.json;
    const renewed = (await post('/api/v1/auth/refresh', undefined, bearer(token))).json.token;
    const out = await send(hub.url, '/api/v1/auth/logout', { method: 'POST', headers: { cookie, 'sec-fetch-site': 'same-origin' } });
    assert.equal(out.status, 204, out.body);
    await hub.stop();
    await hub.launch();
    for (const headers of [{ cookie }, bearer(token), bearer(renewed)]) {
      assert.equal((await get('/api/v1/auth/me', headers)).status, 401);
    }
  });

  test('S66: a key is shown once, works in both headers and over a restart, and ends at once', async () => {
    const { token } = (await login()).json;
    const made = await post('/api/v1/api-keys', { name: 'Shop', scopes: ['messages:read'] }, bearer(token));
    assert.equal(made.status, 201, made.body);
    const { id, key } = made.json;
    assert.match(key, /^pb_live_[\w-]{49}$/);
    await hub.stop();
    await hub.launch();
    for (const headers of [bearer(key), { 'x-api-key': key }]) assert.equal((await get('/api/v1/messages', headers)).status, 200);
    assert.equal((await get('/api/v1/users', bearer(key))).status, 403);
    assert.equal((await send(hub.url, `/api/v1/api-keys/${id}`, { method: 'DELETE', headers: bearer(token) })).status, 204);
    assert.equal((await get('/api/v1/messages', bearer(key))).status, 401);
    assert.ok(!hub.log.includes(key));
  });

  test('S44, S84: wrong signatures of webhooks leave one record, however many', async () => {
    const { token } = (await login()).json;
    const forged = { method: 'POST', body: 'MessageSid=SM1', headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA' } };
    for (let i = 0; i < 20; ++i) {
      const answer = await send(hub.url, '/hooks/sms/message', forged);
      assert.deepEqual([answer.status, answer.body], [401, '']);
    }
    const records = await until('the record', async () => {
      const { items } = (await get('/api/v1/audit?action=webhook.refused', bearer(token))).json;
      return items.length > 0 && items;
    });
    assert.equal(records.length, 1);
    assert.deepEqual(records[0].object, { type: 'instance', id: 'sms' });
  });

  test('S61: an account that fails too often waits, and says for how long', async () => {
    const answers = [];
    for (let i = 0; i < 11; ++i) answers.push(await post('/api/v1/auth/login', { email: 'bo@example.org', password: 'wrong horse battery' }));
    assert.deepEqual(answers.map((one) => one.status), [...Array(10).fill(401), 429]);
    assert.ok(Number(answers[10].headers['retry-after']) > 60);
    assert.equal((await login()).status, 200, 'others are not locked out');
  });

  test('S84: the audit record names who did what, and its chain can be checked', async () => {
    const { token } = (await login()).json;
    const actions = new Set((await get('/api/v1/audit?limit=200', bearer(token))).json.items.map((one) => one.action));
    for (const action of ['user.first_owner', 'login', 'login.failed', 'user.create', 'api_key.create', 'api_key.revoke', 'request.refused', 'webhook.refused']) {
      assert.ok(actions.has(action), action);
    }
    const check = await hub.cli(['db', 'audit']);
    assert.equal(check.code, 0, check.stderr);
    assert.match(check.stdout, /^\d+ records, the last is \d+ [0-9a-f]{64}\n$/);
  });
});
