// A file from its upload to the provider, which fetches it under a link.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';

const guest = '+15558675310';
// A whole picture of one pixel.
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

function form(name, type, bytes) {
  const head = `--cut\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('\r\n--cut--\r\n')]);
}

const upload = (hub, name, type, bytes) => hub.api('POST', '/api/v1/media', undefined, {
  raw: form(name, type, bytes), headers: { 'content-type': 'multipart/form-data; boundary=cut' },
});

describe('files', () => {
  let hub;
  let provider;
  before(async () => {
    provider = await Provider.start();
    hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url }) } } });
  });
  after(async () => { await hub?.remove(); await provider?.stop(); });

  test('an upload goes out with a message, and the provider fetches it byte for byte (S56, S57)', async () => {
    const made = await upload(hub, 'photo.png', 'image/png', png);
    assert.equal(made.status, 201, made.body);
    assert.equal(made.json.type, 'image/png');
    const sent = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'Look', media: [{ id: made.json.id }] });
    assert.equal(sent.status, 202, sent.body);
    const offered = await until('it is offered to the provider', () => provider.requests.find((one) => one.method === 'POST' && one.form.get('MediaUrl')));
    const link = new URL(offered.form.get('MediaUrl'));
    assert.equal(link.origin, new URL(hub.publicUrl).origin);
    const fetched = await fetch(link);
    assert.equal(fetched.status, 200);
    assert.deepEqual(Buffer.from(await fetched.arrayBuffer()), png);
    assert.equal(fetched.headers.get('content-security-policy'), "sandbox; default-src 'none'");
    assert.equal(fetched.headers.get('x-content-type-options'), 'nosniff');
    const part = await fetch(link, { headers: { range: 'bytes=1-3' } });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), 'PNG');
    link.searchParams.set('until', '9999999999999');
    assert.equal((await fetch(link)).status, 404);
  });

  test('a page is never served as one (S55)', async () => {
    const { json } = await upload(hub, 'a.html', 'text/html', Buffer.from('<script>alert(1)</script>'));
    assert.equal(json.type, 'application/octet-stream');
    const url = new URL(json.url);
    const served = await send(hub.url, url.pathname + url.search);
    assert.equal(served.headers['content-type'], 'application/octet-stream');
    assert.match(served.headers['content-disposition'], /^attachment;/);
  });

  test('a file over 16 MiB is refused', async () => {
    const answer = await upload(hub, 'big.bin', 'application/octet-stream', Buffer.alloc((16 << 20) + 1)).catch((error) => error);
    // The hub may close before all of it was sent: it does not read what it will not keep.
    assert.ok(answer instanceof Error || answer.status === 413, String(answer.status));
  });
});
