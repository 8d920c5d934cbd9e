// isolation: process. A plugin's crash ends a process, and that process is not the hub (guarantee G16; faults F42, F43).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Metrics } from './lib/metrics.mjs';
import { build } from './lib/places.mjs';
import { childrenOf, isAlive } from './lib/process.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const planted = path.join(build, 'planted/one');
const noPlanted = fs.existsSync(path.join(planted, 'deadly.so')) ? false : 'no planted plugins in this build';

let guests = 0;
const guest = () => { guests += 1; return `+1555${7_000_000 + guests}`; };

const messageOf = async (hub, id) => (await hub.api('GET', `/api/v1/messages/${id}`)).json;
const hasStatus = (hub, id, status) => async () => (await messageOf(hub, id)).status === status;
const degraded = async (hub) => (await send(hub.url, '/health/ready')).json.degraded;
const instanceOf = async (hub, name) => (await hub.api('GET', `/api/v1/plugins/${name}`)).json;

async function queue(hub, channel, text = 'hello', to = guest()) {
  const answer = await hub.api('POST', '/api/v1/messages', { channel, to, text });
  assert.equal(answer.status, 202, answer.body);
  return answer.json.id;
}

async function startProvider(t) {
  const provider = await Provider.start();
  provider.statuses = [];
  t.after(() => provider.stop());
  return provider;
}

test('G16 twilio_sms in a process of its own sends and receives as it does in the hub', async (t) => {
  const provider = await startProvider(t);
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ apiBase: provider.url, isolation: 'process' }) } } });
  t.after(() => hub.remove());
  await hub.token();
  const shown = await instanceOf(hub, 'sms');
  assert.deepEqual([shown.state, shown.isolation, shown.last_error], ['active', 'process', null]);

  const to = guest();
  await until('it is accepted', hasStatus(hub, await queue(hub, 'sms', 'hello', to), 'accepted'));
  assert.deepEqual(provider.receipts.map((one) => one.to), [to]);
  assert.equal((await postHook(hub, '/hooks/sms/message', inboundFields({ from: to, text: 'and back' }))).status, 200);
  await until('it came in', async () => (await hub.sql("SELECT body FROM messages WHERE direction = 'in'")).some((row) => row.body === 'and back'));

  const [child] = childrenOf(hub.process.pid);
  assert.match(child.command, /^patchbay-plugin-host sms /);
  const open = fs.readdirSync(`/proc/${child.pid}/fd`).map(Number).sort();
  assert.deepEqual(open, [0, 1, 2, 3], 'no socket and no file of the hub');
  const end = await hub.stop();
  assert.equal(end.code, 0, hub.log.slice(-2000));
  assert.ok(!isAlive(child.pid), 'it ends with the hub');
});

test('F01 a hub that is killed leaves no process of a plugin behind', async (t) => {
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance({ isolation: 'process' }) } } });
  t.after(() => hub.remove());
  const [child] = childrenOf(hub.process.pid);
  assert.ok(isAlive(child.pid));
  await hub.kill();
  await until('it has ended, too', () => !isAlive(child.pid), { seconds: 5 });
});

test('F42 a plugin that crashes under load: the hub stays, the other channel delivers, the sends of the first one wait for its next process', { skip: noPlanted }, async (t) => {
  const provider = await startProvider(t);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-plugins-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.copyFileSync(path.join(planted, 'deadly.so'), path.join(folder, 'deadly.so'));
  const hub = await Hub.start({
    config: {
      plugin_path: [folder, path.join(build, 'plugins')],
      plugins: { bad: { plugin: 'deadly', isolation: 'process', restart: { max: 2, per: '10m' } }, good: smsInstance({ apiBase: provider.url, aliases: {} }) },
    },
  });
  t.after(() => hub.remove());
  await hub.token();
  const { pid } = hub.process;

  const fine = [], crashing = [];
  for (let i = 0; i < 20; i += 1) {
    fine.push(await queue(hub, 'bad', 'fine'));
    await queue(hub, 'good');
    if (i === 10) crashing.push(await queue(hub, 'bad', 'segfault'));
  }
  await until('it restarts', async () => (await degraded(hub)).includes('bad: restarting'));
  const shown = await instanceOf(hub, 'bad');
  assert.ok(['restarting', 'active'].includes(shown.state), shown.state);
  assert.match(shown.last_error, /^the process died in .*send.*: /);
  await until('the other channel has delivered all', () => provider.receipts.length === 20);
  await until('it runs again', async () => (await instanceOf(hub, 'bad')).state === 'active');
  assert.equal((await Metrics.of(hub)).value('patchbay_plugin_restarts_total', { instance: 'bad' }), 1);
  await until('what crashed it is unknown', hasStatus(hub, crashing[0], 'unknown'));
  const settled = ['accepted', 'unknown'];  // Unknown: it was in the process as well when that died.
  for (const id of fine) {
    await until('the others are sent', async () => settled.includes((await messageOf(hub, id)).status), { seconds: 60 });
  }
  await until('a new one goes through', hasStatus(hub, await queue(hub, 'bad', 'fine'), 'accepted'));

  // One more death than the budget has.
  for (const state of ['active', 'failed']) {
    crashing.push(await queue(hub, 'bad', 'abort'));
    await until('it dies', async () => (await instanceOf(hub, 'bad')).state !== 'active', { everyMs: 5 });
    await until(state, async () => (await instanceOf(hub, 'bad')).state === state, { seconds: 30 });
  }
  assert.ok((await degraded(hub)).includes('bad: failed'));
  assert.match((await instanceOf(hub, 'bad')).last_error, /^the process died more than 2 times in 600 s, at last: /);
  const waiting = await queue(hub, 'bad', 'fine');
  await until('the other channel goes on', hasStatus(hub, await queue(hub, 'good'), 'accepted'));
  assert.equal((await messageOf(hub, waiting)).status, 'queued');
  assert.equal((await hub.api('POST', '/api/v1/plugins/bad/reload')).status, 200);
  await until('what waited is sent', hasStatus(hub, waiting, 'accepted'));
  assert.deepEqual(await degraded(hub), []);
  assert.equal(hub.process.pid, pid);
  assert.equal((await hub.stop()).code, 0);
});
