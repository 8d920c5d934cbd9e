// A real nginx in front, with the file that examples/nginx ships: who the client is, what a provider signed, and sockets.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';

import { freePort, send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Socket, liveUrl } from './lib/live.mjs';
import { root } from './lib/places.mjs';
import { makeKeys } from './lib/tls.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx'].find((file) => fs.existsSync(file));

/** The shipped file with this test's names; each has to be in it. */
function shippedConfig(replacements) {
  let text = fs.readFileSync(path.join(root, 'examples/nginx/patchbay.conf'), 'utf8');
  for (const [from, to] of replacements) {
    assert.ok(text.includes(from), `examples/nginx/patchbay.conf no longer has "${from}"`);
    text = text.replaceAll(from, to);
  }
  return text;
}

async function startNginx(folder, port, hubPort) {
  fs.chmodSync(folder, 0o755);  // Its workers, who are not root, keep large bodies below it.
  const keys = makeKeys(folder, 'hub.example.com');
  fs.writeFileSync(path.join(folder, 'patchbay.conf'), shippedConfig([
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`], ['server 127.0.0.1:8000', `server 127.0.0.1:${hubPort}`],
    ['/etc/ssl/hub.example.com.crt', keys.certificate], ['/etc/ssl/hub.example.com.key', keys.key],
  ]));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  fs.writeFileSync(path.join(folder, 'nginx.conf'), `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 256; }
http { access_log off; ${temporary} include ${folder}/patchbay.conf; }
`);
  const checked = spawnSync(nginx, ['-t', '-c', path.join(folder, 'nginx.conf')], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stderr);
  return spawn(nginx, ['-c', path.join(folder, 'nginx.conf')], { stdio: 'ignore' });
}

describe('behind nginx', { skip: nginx ? false : 'nginx is not installed' }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-nginx-'));
  let hub;
  let proxy;
  let front;

  before(async () => {
    const port = await freePort();
    front = `https://127.0.0.1:${port}`;
    hub = await Hub.start({
      publicUrl: `https://hub.example.com:${port}`,
      // nginx connects from 127.0.0.1; the clients of this test come from other addresses of loopback.
      config: { server: { trusted_proxies: ['127.0.0.1'] }, plugins: { sms: smsInstance() } },
    });
    proxy = await startNginx(folder, port, hub.port);
    await until('nginx answers', async () => (await send(front, '/health/live')).status === 200);
  });
  after(async () => {
    proxy?.kill('SIGTERM');
    await hub?.remove();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  const through = { get url() { return front; }, get publicUrl() { return hub.publicUrl; } };
  const lastPeer = async () => (await hub.sql('SELECT remote AS peer FROM ingress ORDER BY id DESC LIMIT 1'))[0].peer;

  test('S40 a signature over public_url holds, query and escapes included', async () => {
    for (const target of ['/hooks/sms/message', '/hooks/sms/message?a=1&b=%C3%A9&c=x%2fy']) {
      const answer = await postHook(through, target, inboundFields({ from: '+15558675310', text: 'über nginx' }), { from: '127.0.0.9' });
      assert.equal(answer.status, 200, answer.body);
      assert.equal(await lastPeer(), '127.0.0.9');
    }
  });

  test('S44 a wrong signature gets the empty 401 of the hub', async () => {
    const answer = await postHook(through, '/hooks/sms/message', inboundFields({ from: '+15558675310', text: 'x' }), { token: 'wrong' });
    assert.equal(answer.status, 401);
    assert.equal(answer.body, '');
  });

  test('an X-Forwarded-For of the client\'s own does not count', async () => {
    for (const spoofed of ['203.0.113.66', '203.0.113.66, 127.0.0.1', 'nonsense', '127.0.0.1']) {
      const answer = await postHook(through, '/hooks/sms/message', inboundFields({ from: '+15558675310', text: 'x' }),
        { from: '127.0.0.9', headers: { 'x-forwarded-for': spoofed } });
      assert.equal(answer.status, 200, answer.body);
      assert.equal(await lastPeer(), '127.0.0.9', `the client wrote ${spoofed}`);
    }
  });

  test('nor does one that comes past nginx from an address that is no proxy', async () => {
    const answer = await postHook(hub, '/hooks/sms/message', inboundFields({ from: '+15558675310', text: 'x' }),
      { from: '127.0.0.8', headers: { 'x-forwarded-for': '203.0.113.66', 'x-forwarded-proto': 'https' } });
    assert.equal(answer.status, 200, answer.body);
    assert.equal(await lastPeer(), '127.0.0.8');
  });

  test('S30 the hub\'s own 413 comes through', async () => {
    const answer = await send(front, '/api/v1/messages', {
      method: 'POST', body: 'x'.repeat((1 << 20) + 1),
      headers: { authorization: `Bearer ${await hub.token()}`, 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 413);
    assert.equal(answer.json.code, 'body_too_large');
  });

  test('S19 a path that nginx would have tidied up is refused by the hub', async () => {
    for (const target of ['/hooks//sms/message', '/hooks/./sms/message', '/hooks/x/../sms/message', '/hooks/sms%2f%2fmessage']) {
      assert.equal((await send(front, target, { method: 'POST' })).status, 400, target);
    }
  });

  test('S67 a socket goes through', async () => {
    const socket = new Socket(liveUrl(through), { headers: { authorization: `Bearer ${await hub.token()}` }, rejectUnauthorized: false });
    await socket.hears((message) => message.type === 'hello', 'hello');
    socket.ws.close(1000);
    await until('the socket is closed', () => socket.closed?.code === 1000);
  });

  test('the client\'s scheme is the one that nginx was spoken to with', async (t) => {
    const own = fs.mkdtempSync(path.join(folder, 'scheme-'));
    const port = await freePort();
    // With an http public_url only the request itself can say that it came over https.
    const other = await Hub.start({ config: { server: { trusted_proxies: ['127.0.0.1'] } } });
    const ownProxy = await startNginx(own, port, other.port);
    t.after(async () => { ownProxy.kill('SIGTERM'); await other.remove(); });
    const isSecure = async (base, options) => 'strict-transport-security' in (await send(base, '/docs', options)).headers;
    await until('nginx answers', async () => (await send(`https://127.0.0.1:${port}`, '/health/live')).status === 200);
    assert.equal(await isSecure(`https://127.0.0.1:${port}`, { from: '127.0.0.9' }), true);
    assert.equal(await isSecure(`https://127.0.0.1:${port}`, { from: '127.0.0.9', headers: { 'x-forwarded-proto': 'http' } }), true);
    assert.equal(await isSecure(other.url, { from: '127.0.0.1' }), false);
    assert.equal(await isSecure(other.url, { from: '127.0.0.8', headers: { 'x-forwarded-proto': 'https' } }), false);
  });
});
