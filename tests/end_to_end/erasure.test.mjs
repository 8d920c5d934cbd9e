// A person is forgotten: the database's own files are searched afterwards (S86).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';
const other = '+15558675311';

/** All bytes below var/, the log of the database among them; not the texts of the configuration, which are the operator's own. */
function bytesBelow(folder) {
  return Buffer.concat(fs.readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(so|yaml)$/.test(entry.name))
    .map((entry) => fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name))));
}

test('S86 F66 export hands out a person, erase leaves counts and a proof and blocks what is sent afterwards', async (t) => {
  const provider = await Provider.start();
  const hub = await Hub.start({
    config: {
      plugins: {
        sms: smsInstance({ apiBase: provider.url, flow: 'replies' }),
        replies: { plugin: 'auto_reply', config: { rules: [{ contains: 'umbrella', reply: 'We keep the umbrella stand in the hall' }] } },
      },
    },
  });
  t.after(async () => { await hub.remove(); await provider.stop(); });
  const said = 'I left a violet umbrella with you';
  assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: guest, text: said }))).status, 200);
  assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: other, text: 'a yellow hat' }))).status, 200);
  await hub.routed();
  await until('the flow has answered', () => provider.receipts.length === 1);
  const staff = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'The porter found your umbrella' },
    { headers: { 'idempotency-key': 'porter-1' } });
  assert.equal(staff.status, 202, staff.body);
  await until('all statuses came', async () => (await hub.api('GET', `/api/v1/messages/${staff.json.id}`)).json.status === 'delivered');
  const [contact] = (await hub.api('GET', `/api/v1/contacts?address=${encodeURIComponent(guest)}`)).json.items;

  const jobDone = async (answer) => {
    assert.equal(answer.status, 202, answer.body);
    return until('the job is done', async () => {
      const job = (await hub.api('GET', `/api/v1/jobs/${answer.json.id}`)).json;
      return job.status === 'done' ? job : null;
    });
  };
  const exported = await jobDone(await hub.api('POST', `/api/v1/contacts/${contact.id}/export`));
  const file = await hub.api('GET', exported.results[0].url);
  assert.equal(file.status, 200);
  const texts = file.json.conversations.flatMap((one) => one.messages.map((message) => message.text));
  assert.ok(texts.includes(said) && texts.includes('The porter found your umbrella'), texts.join('\n'));

  assert.equal((await hub.api('POST', `/api/v1/contacts/${contact.id}/erase`, { confirm: 'somebody' })).status, 422);
  await jobDone(await hub.api('POST', `/api/v1/contacts/${contact.id}/erase`, { confirm: contact.name || guest }));
  const gone = [said, encodeURIComponent(said), said.replaceAll(' ', '+'), 'The porter found your umbrella', 'umbrella stand', guest.slice(1)];
  const left = await until('no file has the texts', () => {
    const bytes = bytesBelow(path.join(hub.folder, 'var'));
    return gone.some((text) => bytes.includes(text)) ? null : bytes;
  });
  assert.ok(left.includes('yellow'), "another's texts are there");
  const [erasure] = await hub.sql('SELECT proof, counts FROM erasures');
  assert.match(erasure.proof, /^[0-9a-f]{64}$/);
  assert.equal(JSON.parse(erasure.counts).messages, 3);
  const blocked = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to: guest, text: 'Come back' });
  assert.deepEqual([blocked.status, blocked.json.code], [422, 'recipient_opted_out']);
  assert.equal(provider.receipts.length, 2, 'nothing went out after it');
});
