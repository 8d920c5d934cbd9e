// The front door of the real hub, on plain and on TLS: what the unit tests of core/http show with routes of their own.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Socket, liveUrl } from './lib/live.mjs';
import { makeKeys, sendRaw, shownName } from './lib/tls.mjs';
import { encodeForm, inboundFields, postHook } from './lib/twilio.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-front-'));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Routes with bodies that are no forms. */
const door = { plugin: 'signed_hooks', config: { secret: '0123456789abcdef0123456789abcdef' } };

const formType = { 'content-type': 'application/x-www-form-urlencoded' };

for (const wire of ['plain', 'tls']) {
  describe(`the front door on ${wire}`, () => {
    let hub;
    before(async () => {
      const server = { allowed_hosts: ['127.0.0.1', 'hub.example'], ...(wire === 'tls' ? { tls: makeKeys(folder, 'hub.example') } : {}) };
      hub = await Hub.start({ config: { server, plugins: { sms: smsInstance(), door } } });
    });
    after(() => hub.remove());

    const kept = async () => (await hub.sql('SELECT id FROM ingress')).length;

    test('S12 answers for its own hosts only', async () => {
      assert.equal((await send(hub.url, '/health/live', { headers: { host: 'evil.example' } })).status, 421);
      assert.equal((await send(hub.url, '/health/live', { headers: { host: 'hub.example:443' } })).status, 200);
    });

    test('S01, S04, S06 what stands behind a refused request is never stored', async () => {
      const fields = inboundFields({ from: '+15558675310', text: 'smuggled' });
      const body = encodeForm(fields);
      const behind = `POST /hooks/sms/message HTTP/1.1\r\nHost: hub.example\r\nContent-Type: application/x-www-form-urlencoded\r\n`
        + `Content-Length: ${body.length}\r\n\r\n${body}`;
      const already = await kept();
      for (const lengths of ['Content-Length: 4\r\nTransfer-Encoding: chunked', 'Content-Length: 4\r\nContent-Length: 4', 'Content-Length: +4']) {
        const answer = await sendRaw(hub.url, `POST /hooks/sms/message HTTP/1.1\r\nHost: hub.example\r\n${lengths}\r\n\r\n0\r\n\r\n${behind}`);
        assert.match(answer, /^HTTP\/1\.1 400 /);
        assert.match(answer, /\r\nConnection: close\r\n/);
        assert.equal(answer.match(/HTTP\/1\.1 /g).length, 1, 'one answer only');
      }
      assert.equal(await kept(), already);
    });

    test('S20 a query key that repeats is refused', async () => {
      const answer = await hub.api('GET', '/api/v1/messages?limit=5&limit=6');
      assert.equal(answer.status, 400);
      assert.equal(answer.json.code, 'duplicate_parameter');
    });

    test('S30 a form takes 256 KiB, a webhook what its route says, the API 1 MiB, and no byte more', async () => {
      const status = async (target, bytes, sent) => (await sendRaw(hub.url,
        `POST ${target} HTTP/1.1\r\nHost: hub.example\r\nContent-Length: ${bytes}\r\nConnection: close\r\n\r\n${'x'.repeat(sent)}`)).slice(9, 12);
      for (const [target, limit] of [['/hooks/sms/message', 256 << 10], ['/hooks/door/meta', 1 << 20], ['/api/v1/messages', 1 << 20]]) {
        assert.equal(await status(target, limit + 1, 0), '413', `${target}, before a byte of it was sent`);
        assert.ok(['401', '415'].includes(await status(target, limit, limit)), `${target} takes ${limit} bytes, and refuses them for another reason`);
      }
    });

    test('S30 a form takes 128 fields and not one more', async () => {
      const fields = inboundFields({ from: '+15558675310', text: 'hi' });
      while (Object.keys(fields).length < 128) fields[`Extra${Object.keys(fields).length}`] = 'x';
      assert.equal((await postHook(hub, '/hooks/sms/message', fields)).status, 200);
      const already = await kept();
      assert.equal((await postHook(hub, '/hooks/sms/message', { ...fields, One: 'more' })).status, 413);
      assert.equal(await kept(), already);
    });

    test('S31 the API takes JSON only', async () => {
      const answer = await hub.api('POST', '/api/v1/messages', undefined, { raw: 'a=b', headers: formType });
      assert.equal(answer.status, 415);
    });

    test('S32 a duplicate key is refused with its place', async () => {
      const answer = await hub.api('POST', '/api/v1/messages', undefined, { raw: '{"to": "+1", "to": "+2"}' });
      assert.equal(answer.status, 400);
      assert.equal(answer.json.code, 'invalid_json');
      assert.equal(typeof answer.json.offset, 'number');
    });

    test('S67 a socket opens on the same port', async () => {
      const socket = new Socket(liveUrl(hub), { headers: { authorization: `Bearer ${await hub.token()}` }, rejectUnauthorized: false });
      await socket.hears((message) => message.type === 'hello', 'hello');
      socket.ws.close(1000);
      await until('the socket is closed', () => socket.closed?.code === 1000);
    });

    test('S33 unknown fields are listed with their pointers', async () => {
      const answer = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: '+15558675310', text: 'x', is_admin: true, Role: 'owner' });
      assert.equal(answer.status, 422);
      assert.deepEqual(answer.json.errors.map((one) => one.pointer).sort(), ['/Role', '/is_admin']);
    });
  });
}

test('a renewed certificate is shown without a restart, a broken one is not', async (t) => {
  const keys = makeKeys(folder, 'first.example');
  const hub = await Hub.start({ config: { server: { tls: keys } } });
  t.after(() => hub.remove());
  assert.equal(await shownName(hub.port), 'first.example');
  const renewed = makeKeys(folder, 'second.example');
  fs.renameSync(renewed.key, keys.key);
  fs.renameSync(renewed.certificate, keys.certificate);
  assert.equal(await shownName(hub.port), 'second.example');
  fs.writeFileSync(keys.certificate, 'nonsense');
  assert.equal(await shownName(hub.port), 'second.example');
  assert.match(hub.log, /the former certificate stays in use/);
  assert.equal((await send(hub.url, '/health/ready')).status, 200);
});

test('a certificate that cannot be used stops the start and says why', async (t) => {
  const hub = await Hub.start();
  t.after(() => hub.remove());
  await hub.stop();
  hub.config.server.tls = { certificate: 'none.crt', key: 'none.key' };
  hub.writeConfig();
  const { code, stderr } = await hub.cli(['serve']);
  assert.notEqual(code, 0);
  assert.match(stderr, /cannot use the certificate .*none\.crt: No such file or directory/);
});
