// Codes that prove that a phone is somebody's (S4), against the real binary: by Twilio Verify, whose calls Prism holds against Twilio's
// own OpenAPI document and which emulate plays, and by codes of the hub's own. S4 lines and S70 to S72 are named where they are shown.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { emulateAccount, startEmulate, startPrism } from './lib/judges.mjs';
import { missing } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { ownNumber } from './lib/twilio.mjs';
import { check, isProblem, newPhone, open, other, service, shown, start } from './lib/verification.mjs';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('verification whose calls Prism judges', { skip: missing('providers/run-prism.sh', 'specs/twilio/prism') }, () => {
  let prism;
  let hub;
  before(async () => {
    prism = await startPrism('twilio-verify');
    const verify = { ...open, provider: 'twilio', service_sid: service, api_base: prism.url };
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ config: { verify } }) } } });
  });
  after(async () => { await hub?.remove(); prism?.stop(); });

  test('S4-04 S4-10 S4-28 starts by calls that Twilio would take, by text, call and WhatsApp', async () => {
    for (const channel of ['sms', 'call', 'whatsapp']) {
      const to = newPhone();
      const answer = await start(hub, to, { channel, locale: 'en-GB', end_user_ip: '203.0.113.7' });
      assert.equal(answer.status, 201, answer.body);
      assert.equal(answer.json.channel, channel);
      const call = (await prism.requests()).at(-1);
      assert.equal(call.violations, undefined, 'no violation of the published contract');
      assert.deepEqual(call.warnings, []);
      assert.equal(call.url, `/v2/Services/${service}/Verifications`);
      const form = Object.fromEntries(new URLSearchParams(call.body));
      assert.deepEqual(form, { To: to, Channel: channel, Locale: 'en-GB', RateLimits: '{"end_user_ip":"203.0.113.7"}' });
    }
  });

  test('S4-05 S4-10 S4-13 checks by a call that Twilio would take', async () => {
    const to = newPhone();
    await start(hub, to);
    await prism.rule({ path: 'VerificationCheck$', prefer: 'example=status_pending' });
    assert.deepEqual(shown(await check(hub, to, '111111')), [200, 'wrong', false]);
    assert.deepEqual(shown(await check(hub, to, '123456')), [200, 'approved', true], 'Prism approves');
    for (const call of (await prism.requests()).filter((one) => one.url.endsWith('VerificationCheck'))) {
      assert.equal(call.violations, undefined);
      assert.deepEqual(call.warnings, []);
      assert.deepEqual([...new URLSearchParams(call.body).keys()], ['To', 'Code']);
    }
  });

  test('S4-22 S4-32 reads the provider\'s own examples of refusals', async () => {
    for (const [rule, status, code] of [
      ['code=429, example=e60203', 429, 'throttled'], ['code=400, example=e60200', 422, 'undeliverable'], ['code=429, example=e20429', 503, 'provider_unavailable'],
    ]) {
      await prism.rule({ path: 'Verifications$', prefer: rule });
      const answer = await start(hub, newPhone());
      assert.deepEqual([answer.status, answer.json.code], [status, code], `${rule}: ${answer.body}`);
    }
  });
});

describe('verification by an account that emulate plays', { skip: missing('providers/run-emulate.sh') }, () => {
  let emulate;
  let hub;
  before(async () => {
    emulate = await startEmulate({ smsUrl: 'http://127.0.0.1:9/' });
    const authorization = `Basic ${Buffer.from(`${emulateAccount.sid}:${emulateAccount.token}`).toString('base64')}`;
    const { services } = (await send(emulate.url, '/verify/v2/Services', { headers: { authorization } })).json;
    const config = {
      account_sid: emulateAccount.sid, auth_token: emulateAccount.token, default_from: emulateAccount.number,
      verify: { ...open, provider: 'twilio', service_sid: services[0].sid, api_base: `${emulate.url}/verify` },
    };
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ config }) } } });
  });
  after(async () => { await hub?.remove(); emulate?.stop(); });

  test('S4-13 S4-18 S4-31 number in, code in, result out', async () => {
    const to = newPhone();
    assert.deepEqual(shown(await start(hub, to)), [201, 'pending', false]);
    assert.deepEqual(shown(await check(hub, to, '000000')), [200, 'wrong', false]);
    assert.deepEqual(shown(await check(hub, to, '123456')), [200, 'approved', true]);
    assert.deepEqual(shown(await check(hub, to, '123456')), [200, 'used', false]);
    assert.deepEqual((await emulate.requests()).flatMap((one) => one.warnings), []);
  });
});

describe('verification with codes of the hub', () => {
  let provider;
  let hub;
  before(async () => {
    provider = await Provider.start();
    provider.statuses = [];
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url, config: { verify: open } }) }, log: { level: 'debug' } } });
  });
  after(async () => { await hub?.remove(); await provider?.stop(); });

  const codeFor = (to) => provider.receipts.findLast((one) => one.to === to).body.match(/\d{6}/)[0];

  test('S4-04 S4-06 S4-11 start sends an SMS from the channel\'s number and answers as printed', async () => {
    const to = newPhone();
    const before = Date.now();
    const answer = await start(hub, to);
    assert.equal(answer.status, 201, answer.body);
    assert.deepEqual(Object.keys(answer.json), ['id', 'to_phone', 'channel', 'outcome', 'valid', 'expires_at', 'resend_after']);
    const { id, expires_at: expires, ...rest } = answer.json;
    assert.match(id, uuid);
    assert.match(expires, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(new Date(expires) - before - 600_000) < 10_000);
    assert.deepEqual(rest, { to_phone: to, channel: 'sms', outcome: 'pending', valid: false, resend_after: 30 });
    const sms = provider.receipts.at(-1);
    assert.deepEqual([sms.to, sms.from], [to, ownNumber]);
    assert.match(sms.body, /^Your code is \d{6}\.$/);
  });

  test('S4-05 S4-13 S4-18 check answers as printed: wrong, approved, used', async () => {
    const to = newPhone();
    await start(hub, to);
    const code = codeFor(to);
    assert.deepEqual((await check(hub, to, other(code))).json, { to_phone: to, outcome: 'wrong', valid: false });
    assert.deepEqual((await check(hub, to, code)).json, { to_phone: to, outcome: 'approved', valid: true });
    assert.deepEqual((await check(hub, to, code)).json, { to_phone: to, outcome: 'used', valid: false });
  });

  test('both forms of the path (X25) and of a number (X24)', async () => {
    const to = newPhone();
    assert.equal((await hub.api('POST', '/api/sms/verify/start', { to_phone: `00${to.slice(1)}` })).json.to_phone, to);
    assert.equal((await hub.api('POST', '/api/sms/verify/check', { to_phone: `whatsapp:${to}`, code: codeFor(to) })).json.outcome, 'approved');
  });

  test('S4-16 of forty who bring the right code at once, one is approved', async () => {
    const to = newPhone();
    await start(hub, to);
    const code = codeFor(to);
    const outcomes = (await Promise.all(Array.from({ length: 40 }, () => check(hub, to, code)))).map((answer) => answer.json.outcome ?? answer.json.code);
    assert.equal(outcomes.filter((one) => one === 'approved').length, 1, outcomes.join(' '));
    assert.ok(outcomes.every((one) => ['approved', 'used'].includes(one)), outcomes.join(' '));
  });

  test('a code, its tries and its limits survive kill -9 (S4-14, S72)', async () => {
    const to = newPhone();
    const { id } = (await start(hub, to)).json;
    const code = codeFor(to);
    for (let tries = 0; tries < 3; tries += 1) await check(hub, to, other(code));
    await hub.kill();
    await hub.launch();
    isProblem(await start(hub, to), 429, 'throttled');
    assert.equal((await check(hub, to, other(code))).json.outcome, 'wrong');
    assert.equal((await check(hub, to, code)).json.outcome, 'approved', 'the fifth');
    assert.match(id, uuid);
  });

  test('S4-17 S70 a second start has to wait; Idempotency-Key gives the first answer again', async () => {
    const to = newPhone();
    const headers = { 'idempotency-key': `start-${to}` };
    const first = await start(hub, to, {}, { headers });
    const again = await start(hub, to, {}, { headers });
    assert.deepEqual([again.status, again.body, again.headers['idempotent-replayed']], [201, first.body, 'true']);
    isProblem(await start(hub, to), 429, 'throttled');
    assert.equal(provider.receipts.filter((one) => one.to === to).length, 1);
  });

  test('S4-15 S70 one text for every limit: closed country, address, block of numbers', async () => {
    const closed = await start(hub, '+447700900123');
    isProblem(closed, 429, 'throttled');
    const text = (answer) => ({ ...answer.json, instance: '' });
    const ip = { end_user_ip: '198.51.100.7' };
    for (let i = 0; i < 10; i += 1) assert.equal((await start(hub, newPhone(), ip)).status, 201);
    const eleventh = await start(hub, newPhone(), ip);
    isProblem(eleventh, 429, 'throttled');
    assert.deepEqual(text(eleventh), text(closed));
    const block = newPhone().slice(0, -3);
    for (let i = 100; i < 130; i += 1) assert.equal((await start(hub, block + i)).status, 201);
    assert.deepEqual(text(await start(hub, `${block}130`)), text(closed));
  });

  test('S72 nobody can tell a number without a start from a wrong code', async () => {
    const known = newPhone();
    const unknown = newPhone();
    await start(hub, known);
    const wrong = other(codeFor(known));
    for (let tries = 0; tries < 6; tries += 1) {
      const [one, two] = [await check(hub, known, wrong), await check(hub, unknown, wrong)];
      assert.equal(one.status, two.status);
      const same = ({ json }) => ({ ...json, to_phone: '', instance: '' });
      assert.deepEqual(same(one), same(two));
      assert.deepEqual(Object.keys(one.headers).sort(), Object.keys(two.headers).sort());
    }
  });

  test('S4-22 what Twilio refuses is undeliverable', async () => {
    provider.rule({ status: 400, body: { code: 21614, message: "'To' number is not a valid mobile number", status: 400 } });
    const answer = await start(hub, newPhone());
    isProblem(answer, 422, 'undeliverable');
    assert.equal(answer.json.type, '/docs/errors/undeliverable');
    assert.equal((await send(hub.url, answer.json.type)).status, 200, 'its page');
  });

  const bad = [
    ['no number', 'start', {}, 'missing_field', '/to_phone'],
    ['a word as number', 'start', { to_phone: 'me' }, 'invalid_phone_number', '/to_phone'],
    ['an unknown channel', 'start', { to_phone: '+4915112345678', channel: 'pigeon' }, 'invalid_field', '/channel'],
    ['no code', 'check', { to_phone: '+4915112345678' }, 'missing_field', '/code'],
    ['a number as code', 'check', { to_phone: '+4915112345678', code: 123456 }, 'invalid_field', '/code'],
    ['a code too short', 'check', { to_phone: '+4915112345678', code: '123' }, 'invalid_field', '/code'],
  ];
  for (const [what, route, body, code, pointer] of bad) {
    test(`S4-23 S4-25 ${what} is a structured error`, async () => {
      const answer = await hub.api('POST', `/api/sms/verify/${route}/`, body);
      assert.deepEqual([answer.status, answer.json.code], [400, code], answer.body);
      assert.ok(answer.json.errors.some((error) => error.pointer === pointer), answer.body);
    });
  }

  test('S70 only for callers who may: staff, and keys with the scope', async () => {
    const to = newPhone();
    assert.equal((await start(hub, to, {}, { role: null })).status, 401);
    for (const role of ['viewer', 'expert']) assert.equal((await start(hub, to, {}, { role })).status, 403);
    const bearer = async (scope) => {
      const made = await hub.api('POST', '/api/v1/api-keys', { name: scope, scopes: [scope] });
      return { role: null, headers: { authorization: `Bearer ${made.json.key}` } };
    };
    assert.equal((await start(hub, to, {}, await bearer('sms:send'))).status, 403);
    assert.equal((await start(hub, to, {}, await bearer('verify'))).status, 201);
    assert.equal((await check(hub, to, codeFor(to), { role: 'agent' })).json.outcome, 'approved');
  });

  test('S4-12 S82 codes and numbers are in no file of the hub, and in no metric', async () => {
    const to = newPhone();
    await start(hub, to);
    const code = codeFor(to);
    await check(hub, to, other(code));
    await check(hub, to, code);
    const metrics = (await hub.api('GET', '/metrics')).body;
    await hub.stop();
    const texts = ['hub.log', ...fs.readdirSync(path.join(hub.folder, 'var')).map((name) => path.join('var', name))]
      .filter((name) => fs.statSync(path.join(hub.folder, name)).isFile())
      .map((name) => [name, fs.readFileSync(path.join(hub.folder, name), 'latin1')]);
    assert.ok(texts.some(([name]) => name.endsWith('.db')));
    for (const [name, text] of [...texts, ['metrics', metrics]]) {
      assert.ok(!text.includes(code), `the code is in ${name}`);
      assert.ok(!text.includes(to.slice(1)), `the number is in ${name}`);
    }
    await hub.launch();
  });
});

describe('verification as it is configured', () => {
  let provider;
  before(async () => { provider = await Provider.start(); provider.statuses = []; });
  after(() => provider?.stop());

  async function hubWith(t, verify) {
    const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url, config: verify ? { verify } : {} }) } } });
    t.after(() => hub.remove());
    return hub;
  }

  test('S4-14 S4-16 a code is good for code_ttl, and then expired', async (t) => {
    const hub = await hubWith(t, { ...open, code_ttl: '1s' });
    const to = newPhone();
    const expires = new Date((await start(hub, to)).json.expires_at);
    const code = provider.receipts.at(-1).body.match(/\d{6}/)[0];
    await until('the code is too old', () => Date.now() > expires.getTime());
    assert.deepEqual(shown(await check(hub, to, code)), [200, 'expired', false]);
  });

  test('S70 without a list of countries none is open', async (t) => {
    const hub = await hubWith(t);
    isProblem(await start(hub, newPhone()), 429, 'throttled');
    assert.match(hub.log, /allowed_countries is empty/);
  });

  test('S4-20 mistakes are told with their place, and nothing comes from the environment', async (t) => {
    const hub = await hubWith(t, open);
    hub.config.plugins.sms.config.verify = { provider: 'twilio', allowed_countries: ['Germany'], text: 'no place' };
    hub.writeConfig();
    const { code, stdout, stderr } = await hub.cli(['config', 'validate']);
    assert.equal(code, 1);
    const text = stdout + stderr;
    for (const key of ['service_sid', 'allowed_countries', 'text']) assert.match(text, new RegExp(`:\\d+:\\d+: plugins\\.sms\\.config\\.verify\\.?.*${key}`), text);
  });

  test('S4-19 S4-29 the routes come and go with the plugin', async (t) => {
    const hub = await Hub.start({ config: { plugins: {} } });
    t.after(() => hub.remove());
    assert.equal((await start(hub, newPhone())).status, 404);
  });

  test('S4-09 sent SMS are in the API for the operator; codes are not', async (t) => {
    const hub = await hubWith(t, open);
    const to = newPhone();
    await start(hub, to);
    assert.equal((await hub.api('POST', '/api/sms/send/', { to_phone: to, message: 'Your order is ready' })).status, 201);
    assert.deepEqual((await hub.list('/api/v1/messages?channel=sms')).map((message) => message.text), ['Your order is ready']);
  });
});
