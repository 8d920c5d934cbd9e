// S82: secrets, numbers and texts that nobody knows are planted wherever they can come in; then everything that the hub lets out is
// searched for them. What is meant to be kept, a message's text in its own column, is named here; nothing else may have it.
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { accountSid, encodeForm, inboundFields, postHook } from './lib/twilio.mjs';

const word = (begin) => `${begin}${randomBytes(12).toString('hex')}`;
const number = () => `1555${randomInt(2_000_000, 9_999_999)}`;

/** Every canary by what it is. Those that are kept on purpose have the columns that may hold them. */
function plant() {
  const text = ['messages.body', 'conversations.last_message_preview', 'ingress.body', 'idempotency.response', 'events.data'];
  const address = ['addresses.value', 'messages.peer', 'messages.own', 'ingress.body', 'idempotency.response', 'events.data', 'consents.value',
    'consent_history.value', 'jobs.lane', 'message_events.raw'];
  return {
    authToken: { value: randomBytes(16).toString('hex'), kept: [] },
    fileSecret: { value: word('file'), kept: [] },
    tokenKey: { value: word('tokenkey-long-enough-'), kept: [] },
    bearer: { value: word('bear'), kept: [] },
    basic: { value: Buffer.from(word('user:')).toString('base64'), kept: [] },
    cookie: { value: word('cook'), kept: [] },
    apiKey: { value: word('pb_live_'), kept: [] },
    password: { value: word('pass'), kept: [] },
    wrongPassword: { value: word('wrong'), kept: [] },
    queryToken: { value: word('query'), kept: ['ingress.url'] },
    ticket: { value: word('wst_'), kept: ['ingress.url'] },
    signature: { value: randomBytes(20).toString('base64'), kept: [] },
    guestNumber: { value: number(), kept: address },
    refusedNumber: { value: number(), kept: address },
    apiNumber: { value: number(), kept: address },
    guestText: { value: word('guestsays'), kept: text },
    forgedText: { value: word('forged'), kept: [] },
    apiText: { value: word('apisays'), kept: text },
    refusedText: { value: word('refused'), kept: text },
    echoed: { value: word('providersays'), kept: ['messages.error_reason', 'message_events.error_reason', 'attempts.error', 'jobs.last_error'] },
  };
}

async function startHub(format, canaries, provider) {
  const folder = fs.mkdtempSync('/tmp/patchbay-canary-');
  const file = path.join(folder, 'secret');
  fs.writeFileSync(file, canaries.fileSecret.value, { mode: 0o600 });
  const hub = await Hub.start({
    env: { CANARY_TOKEN: canaries.authToken.value, CANARY_KEY: canaries.tokenKey.value },
    config: {
      log: { level: 'trace', format, file: '', access: 'all' },
      server: { cors_origins: [] },
      auth: { token_keys: ['${env:CANARY_KEY}'] },
      plugins: {
        replies: { plugin: 'auto_reply', config: { rules: [], otherwise: 'Thank you' } },
        sms: smsInstance({ apiBase: provider.url, flow: 'replies', config: { auth_token: '${env:CANARY_TOKEN}' } }),
        second: smsInstance({ apiBase: provider.url, aliases: {}, config: { auth_token: `\${file:${file}}` } }),
      },
    },
  });
  hub.secretFolder = folder;
  return hub;
}

/** Requests of every kind, those that fail among them. Returns the text of every answer. */
async function drive(hub, canaries, provider) {
  const c = Object.fromEntries(Object.entries(canaries).map(([name, { value }]) => [name, value]));
  const answers = [];
  const keep = async (promise) => {
    const answer = await promise;
    answers.push(`${answer.status} ${JSON.stringify(answer.headers)} ${answer.body}`);
    return answer;
  };
  const api = (method, target, body, options) => hub.api(method, target, body, options);

  // Webhooks: good, forged, broken, with a token in the query.
  const good = inboundFields({ from: `+${c.guestNumber}`, text: c.guestText });
  assert.equal((await keep(postHook(hub, '/hooks/sms/message', good, { token: c.authToken, headers: { cookie: `a=${c.cookie}` } }))).status, 200);
  assert.equal((await keep(postHook(hub, `/hooks/sms/message?token=${c.queryToken}&ticket=${c.ticket}`, inboundFields({ from: `+${c.guestNumber}`, text: c.guestText }),
    { token: c.authToken }))).status, 200);
  assert.equal((await keep(postHook(hub, '/hooks/sms/message', inboundFields({ from: `+${c.guestNumber}`, text: c.forgedText }), {
    headers: { 'x-twilio-signature': c.signature, authorization: `Bearer ${c.bearer}` },
  }))).status, 401);
  await keep(send(hub.url, '/hooks/sms/message', { method: 'POST', body: `{"${c.forgedText}"`, headers: { 'content-type': 'application/json', 'x-twilio-signature': c.signature } }));
  await keep(send(hub.url, `/hooks/nobody/${c.queryToken}`, { method: 'POST', body: encodeForm(good), headers: { 'x-hub-signature-256': `sha256=${c.signature}` } }));

  // Whoever wants in.
  const from = [{ authorization: `Bearer ${c.bearer}` }, { authorization: `Basic ${c.basic}` }, { cookie: `__Host-pb=${c.cookie}` }, { 'x-api-key': c.apiKey },
    { authorization: `Bearer ${c.apiKey}` }];
  for (const headers of from) {
    assert.equal((await keep(send(hub.url, `/api/v1/messages?contact=%2B${c.guestNumber}&token=${c.queryToken}`, { headers }))).status, 401);
    await keep(send(hub.url, `/ws?ticket=${c.ticket}&token=${c.queryToken}`, { headers: { ...headers, connection: 'upgrade', upgrade: 'websocket' } }));
  }
  const json = { 'content-type': 'application/json' };
  const login = (password) => keep(send(hub.url, '/api/v1/auth/login', { method: 'POST', headers: json, body: JSON.stringify({ email: 'canary@example.com', password }) }));
  assert.equal((await hub.cli(['user', 'add', '--email', 'canary@example.com', '--name', 'Canary', '--role', 'owner', '--password-stdin'], { input: `${c.password}\n` })).code, 0);
  assert.equal((await login(c.wrongPassword)).status, 401);
  const signedIn = await send(hub.url, '/api/v1/auth/login', { method: 'POST', headers: json, body: JSON.stringify({ email: 'canary@example.com', password: c.password }) });
  assert.equal(signedIn.status, 200, signedIn.body);
  canaries.jwt = { value: signedIn.json.token, kept: [] };
  const mine = { authorization: `Bearer ${signedIn.json.token}` };
  await keep(send(hub.url, '/api/v1/auth/me', { headers: mine }));
  // What the hub itself gives out, once.
  const key = await send(hub.url, '/api/v1/api-keys', { method: 'POST', headers: { ...mine, ...json }, body: JSON.stringify({ name: 'canary', scopes: ['metrics:read'] }) });
  assert.equal(key.status, 201, key.body);
  canaries.realKey = { value: key.json.key, kept: [] };
  assert.equal((await keep(send(hub.url, '/api/v1/messages', { headers: { 'x-api-key': key.json.key } }))).status, 403);
  const ticket = await send(hub.url, '/api/v1/auth/ws-ticket', { method: 'POST', headers: mine });
  assert.equal(ticket.status, 201, ticket.body);
  canaries.realTicket = { value: ticket.json.ticket, kept: [] };
  await keep(send(hub.url, `/ws?ticket=${ticket.json.ticket}`));

  // Sends that go, that are refused with an echo of everything, that break.
  const post = (body, headers = {}) => keep(api('POST', '/api/v1/messages', body, { headers }));
  assert.equal((await api('POST', '/api/v1/messages', { channel: 'sms', to: `+${c.apiNumber}`, text: c.apiText }, { headers: { 'idempotency-key': 'k1' } })).status, 202);
  const echo = `${c.echoed}: number +${c.refusedNumber} (${c.refusedNumber}), token ${c.authToken}, Authorization: Basic ${c.basic}, key ${c.apiKey}`;
  provider.rule({ status: 400, body: { code: 21211, message: echo, status: 400 } });
  assert.equal((await api('POST', '/api/v1/messages', { channel: 'sms', to: `+${c.refusedNumber}`, text: c.refusedText })).status, 202);
  provider.rule({ status: 500, body: echo });
  assert.equal((await api('POST', '/api/v1/messages', { channel: 'sms', to: `+${c.apiNumber}`, text: c.apiText })).status, 202);
  provider.rule({ status: 401, body: { code: 20003, message: echo, status: 401 } });
  assert.equal((await api('POST', '/api/v1/messages', { channel: 'second', to: `+${c.refusedNumber}`, text: c.refusedText })).status, 202);
  await post({ channel: 'sms', to: c.guestNumber.slice(0, 6), text: c.apiText, [c.queryToken.slice(0, 4)]: 1 });
  await post({ channel: 'none', to: `+${c.apiNumber}`, text: c.apiText });
  await keep(api('POST', '/api/v1/messages', undefined, { raw: `{"text": "${c.apiText}", "token": "${c.bearer}"` }));
  await keep(api('POST', '/api/v1/messages', undefined, { raw: JSON.stringify({ password: c.password }), headers: { 'content-type': `text/${c.bearer}` } }));
  await keep(api('GET', `/api/v1/messages?cursor=${c.bearer}`));
  await keep(api('GET', `/api/v1/messages/${c.bearer}`));
  await keep(send(hub.url, `/api/v1/contacts/+${c.guestNumber}`, { headers: { authorization: `Bearer ${c.bearer}` } }));
  // Broken framing: what is refused before there is a request.
  await keep(send(hub.url, `/x?token=${c.queryToken}`, { headers: { [`x-${'a'.repeat(9000)}`]: c.bearer } }));

  await hub.routed();
  await until('the refused one has failed', async () => (await hub.sql("SELECT 1 FROM messages WHERE status = 'failed'")).length > 0);
  await until('the channel is paused', async () => (await hub.sql("SELECT 1 FROM channel_state WHERE instance = 'second' AND paused_reason IS NOT NULL")).length > 0);
  await until('the one that broke was tried', async () => (await hub.sql('SELECT 1 FROM attempts')).length >= 4);
  return answers;
}

/** What the command line prints. */
async function verbs(hub) {
  const printed = {};
  for (const args of [
    ['config', 'validate'], ['config', 'validate', '--context'], ['config', 'show'], ['plugin', 'list'], ['plugin', 'describe', 'sms'], ['deliveries', 'list'],
    ['deliveries', 'list', '--output', 'json'], ['events', 'list'], ['events', 'list', '--output', 'json'], ['user', 'list'], ['token', '--email', 'nobody@example.com'],
  ]) {
    const { stdout, stderr } = await hub.cli(args);
    assert.ok(stdout.length + stderr.length > 20, args.join(' '));
    printed[`patchbay ${args.join(' ')}`] = stdout + stderr;
  }
  return printed;
}

/** Every column of every table, as one text each. */
async function tables(hub) {
  const columns = {};
  for (const { name } of await hub.sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")) {
    const rows = await hub.sql(`SELECT * FROM "${name}"`);
    for (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        if (typeof value !== 'string') continue;
        columns[`${name}.${column}`] = `${columns[`${name}.${column}`] ?? ''}\n${value}`;
      }
    }
  }
  return columns;
}

/** Files the hub has made beside its database. */
function files(hub) {
  const made = {};
  for (const entry of fs.readdirSync(hub.folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (!entry.isFile() || /patchbay\.(yaml|db.*)$|hub\.log$|\.so$/.test(file)) continue;
    made[path.relative(hub.folder, file)] = fs.readFileSync(file, 'latin1');
  }
  return made;
}

const forms = (value) => [value, encodeURIComponent(value)];
const holds = (text, value) => forms(value).some((form) => text.includes(form));

for (const format of ['text', 'json']) {
  describe(`canaries and a log as ${format} (S82)`, () => {
    test('come out nowhere', async (t) => {
      const canaries = plant();
      const provider = await Provider.start();
      provider.statuses = [];
      provider.account = { sid: accountSid, token: canaries.authToken.value };
      const hub = await startHub(format, canaries, provider);
      t.after(async () => {
        await hub.remove();
        await provider.stop();
        fs.rmSync(hub.secretFolder, { recursive: true, force: true });
      });
      const answers = await drive(hub, canaries, provider);
      const metrics = (await send(hub.url, '/metrics')).body;
      const printed = await verbs(hub);
      const rows = await tables(hub);
      await hub.kill();
      const outputs = { log: hub.log, metrics, answers: answers.join('\n'), ...printed, ...files(hub) };

      // The search finds what is there: the texts are in their columns.
      for (const name of ['guestText', 'apiText']) assert.ok(holds(rows['messages.body'], canaries[name].value), name);
      assert.ok(holds(rows['messages.error_reason'], canaries.echoed.value), 'the provider\'s words are kept, without what they echo');
      assert.match(hub.log, /access/);

      const leaks = [];
      let looked = 0;
      for (const [canary, { value, kept }] of Object.entries(canaries)) {
        for (const [output, text] of Object.entries(outputs)) {
          looked += 1;
          // What a provider says is for people to read; what it echoes is not.
          if (canary !== 'echoed' && holds(text, value)) leaks.push(`${canary} in ${output}: ${text.slice(Math.max(0, text.indexOf(value) - 120), text.indexOf(value) + 60)}`);
        }
        for (const [column, text] of Object.entries(rows)) {
          looked += 1;
          if (!kept.includes(column) && holds(text, value)) leaks.push(`${canary} in ${column}`);
        }
      }
      t.diagnostic(`${Object.keys(canaries).length} canaries, ${Object.keys(outputs).length} outputs and ${Object.keys(rows).length} columns, ${looked} searches, ${leaks.length} found; `
        + `log ${hub.log.split('\n').length} lines, ${answers.length} answers`);
      assert.deepEqual(leaks, []);
    });
  });
}
