// Plugins in the hub's process that hang, or take it with them: what waits is answered, what is poison is set aside, others go on
// (guarantees G11, G15, G16; faults F41, F42).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub } from './lib/hub.mjs';
import { Socket } from './lib/live.mjs';
import { Metrics } from './lib/metrics.mjs';
import { build } from './lib/places.mjs';

const planted = (version) => path.join(build, `planted/${version}/stalling.so`);
const skip = fs.existsSync(planted('one')) ? false : 'no planted plugins in this build';

/** A hub whose instances hang until a file is there, or crash; `lib` is the folder of the library, `gate` the file. */
async function stallingHub(t, instances) {
  const lib = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-stalling-'));
  const gate = path.join(lib, 'gate');
  fs.copyFileSync(planted('one'), path.join(lib, 'stalling.so'));
  const plugins = Object.fromEntries(Object.entries(instances).map(([name, { mode, ...more }]) =>
    [name, { plugin: 'stalling', isolation: 'none', config: { gate, ...(mode ? { mode } : {}) }, ...more }]));
  const hub = await Hub.start({ config: { plugin_path: [lib], plugins } });
  await hub.token();
  t.after(async () => { await hub.remove(); fs.rmSync(lib, { recursive: true }); });
  return { hub, lib, gate };
}

const instance = async (hub, name) => (await hub.api('GET', `/api/v1/plugins/${name}`)).json;
const degraded = async (hub) => (await send(hub.url, '/health/ready')).json.degraded;
const status = async (hub, id) => (await hub.api('GET', `/api/v1/messages/${id}`)).json.status;
const webhook = (hub, name, body, route = 'in') => send(hub.url, `/hooks/${name}/${route}`, { method: 'POST', body });
const lost = (hub, name, count) => until(`${count} threads are lost`, async () => (await instance(hub, name)).lost_threads >= count);

let guests = 0;
async function queue(hub, channel, text) {
  guests += 1;
  const answer = await hub.api('POST', '/api/v1/messages', { channel, to: `+1555${8_300_000 + guests}`, text });
  assert.equal(answer.status, 202, answer.body);
  return answer.json.id;
}

const rowsIn = async (hub, state, name) =>
  (await hub.sql(`SELECT count(*) AS rows FROM ingress WHERE state = '${state}' AND instance = '${name}'`))[0].rows;

/** Both ways of the other instance work, long before anything that hangs is given up. */
async function othersGoOn(hub, what) {
  const id = await queue(hub, 'good', what);
  assert.ok((await webhook(hub, 'good', what)).ok);
  await until('the other one sends', async () => await status(hub, id) === 'accepted', { seconds: 5 });
  await until('and its webhooks are routed', async () => await rowsIn(hub, 'received', 'good') === 0, { seconds: 5 });
}

describe('a plugin that hangs', { skip, concurrency: true }, () => {
  test('F41 in answers and webhooks: 504, others are not held up, it is off after four, and on again when it is mended (G16)', async (t) => {
    const { hub, lib } = await stallingHub(t, { bad: {}, good: {} });
    const socket = await Socket.of(hub);
    await socket.subscribe('plugins');
    const slow = [1, 2].map(() => send(hub.url, '/stalling/hang'));
    await othersGoOn(hub, 'while two hang');
    for (const answer of await Promise.all(slow)) assert.deepEqual([answer.status, answer.json.code], [504, 'plugin_timed_out'], answer.body);
    await lost(hub, 'bad', 2);
    assert.equal((await webhook(hub, 'bad', 'hang in is_authentic', 'custom')).status, 504);
    await othersGoOn(hub, 'after three');
    assert.equal((await send(hub.url, '/stalling/fine')).status, 200, 'it is still asked');
    assert.equal((await webhook(hub, 'bad', 'hang in respond', 'computed')).status, 504);

    await until('it is off', async () => (await degraded(hub)).includes('bad: disabled'));
    const seen = await instance(hub, 'bad');
    assert.deepEqual([seen.state, seen.enabled, seen.resident], ['disabled', true, 1]);
    assert.equal(seen.lost_threads, 4);
    assert.match(seen.last_error, /^4 calls into the plugin did not come back, .* until it is enabled or reloaded/);
    await socket.event('plugin.changed', (data) => data.plugin.instance === 'bad' && data.plugin.state === 'disabled');
    const metrics = await Metrics.of(hub);
    assert.equal(metrics.value('patchbay_plugin_lost_threads', { instance: 'bad' }), 4);
    assert.equal(metrics.value('patchbay_plugin_lost_threads', { instance: 'good' }), 0);
    assert.equal(metrics.value('patchbay_plugin_calls_total', { instance: 'bad', call: 'answer', error: 'timed_out' }), 2);

    const kept = await queue(hub, 'bad', 'hang, if you still can');
    assert.ok((await webhook(hub, 'bad', 'kept meanwhile')).ok, 'its webhooks are taken');
    const off = await send(hub.url, '/stalling/fine');
    assert.deepEqual([off.status, off.json.code], [503, 'channel_unavailable']);
    await othersGoOn(hub, 'after four');

    fs.copyFileSync(planted('two'), path.join(lib, 'mended.so'));
    fs.renameSync(path.join(lib, 'mended.so'), path.join(lib, 'stalling.so'));
    assert.equal((await hub.api('POST', '/api/v1/plugins/bad/enable')).status, 200);
    await until('what was kept is sent', async () => await status(hub, kept) === 'accepted');
    await until('what was kept is routed', async () => await rowsIn(hub, 'received', 'bad') === 0, { seconds: 40 });
    assert.equal(await rowsIn(hub, 'dead', 'bad'), 0);
    assert.equal((await send(hub.url, '/stalling/hang')).status, 200);
    assert.match((await instance(hub, 'bad')).last_error, /^1 old copy with a call that did not end/);
    assert.deepEqual(await degraded(hub), ['bad: stuck'], 'of the old copy: the threads are still in it');

    const end = await hub.stop();
    assert.equal(end.code, 0, hub.log.slice(-2000));
    assert.ok(end.seconds < 15, `${end.seconds} s: nobody waits for the lost ones (G11)`);
    await hub.launch();
    assert.equal((await instance(hub, 'bad')).lost_threads, 0);
  });

  test('F41 in receive, row after row: a row is tried four times, and those behind it are not held up (G2)', async (t) => {
    const { hub, gate } = await stallingHub(t, { bad: {} });
    assert.ok((await webhook(hub, 'bad', 'hang')).ok);
    for (let i = 0; i < 20; i += 1) assert.ok((await webhook(hub, 'bad', `behind ${i}`)).ok);
    await until('those behind it are routed', async () => await rowsIn(hub, 'routed', 'bad') === 20, { seconds: 10 });
    await lost(hub, 'bad', 2);
    fs.writeFileSync(gate, '');
    await until('the lost ones come back', async () => (await instance(hub, 'bad')).lost_threads === 0);
    await until('the row is routed', async () => await rowsIn(hub, 'routed', 'bad') === 21);
    assert.equal((await hub.sql("SELECT count(*) AS rows FROM messages WHERE direction = 'in'"))[0].rows, 21, 'each once');
    assert.equal((await hub.stop()).code, 0);
    assert.doesNotMatch(hub.log, /left behind/);
  });

  test('F41 in send and in a flow: unknown, tried again, and their threads are free (G7, G16)', async (t) => {
    const { hub, gate } = await stallingHub(t, { bad: { limits: { concurrency: 1 }, flow: 'steps' }, steps: {}, good: {} });
    const hung = await queue(hub, 'bad', 'hang');
    assert.ok((await webhook(hub, 'bad', 'flow hang')).ok);
    await lost(hub, 'steps', 1);
    await othersGoOn(hub, 'beside a send that hangs');
    const next = await queue(hub, 'bad', 'next');
    await until('the send is given up', async () => await status(hub, hung) === 'unknown', { seconds: 45 });
    await until('its only thread was replaced', async () => await status(hub, next) === 'accepted');
    fs.writeFileSync(gate, '');
    await until('all are back', async () => (await instance(hub, 'bad')).lost_threads + (await instance(hub, 'steps')).lost_threads === 0);
    const attempts = await hub.sql(`SELECT a.class FROM attempts AS a JOIN jobs AS j ON j.id = a.job_id WHERE j.ref = '${hung}'`);
    assert.equal(attempts[0].class, 'unknown');
    assert.ok(attempts.every((row) => row.class !== 'accepted'), 'what came back late says nothing');
    await until('the flow ran', async () => (await hub.sql("SELECT id FROM jobs WHERE queue = 'flow' AND state <> 'done'")).length === 0, { seconds: 60 });
  });
});

test('F41 while it is made: it fails with its reason after ten seconds, the others run, and the hub ends as it should (G11)', { skip }, async (t) => {
  const { hub } = await stallingHub(t, { bad: { mode: 'create' }, good: {} });
  const { state, last_error: reason } = await instance(hub, 'bad');
  assert.deepEqual([state, reason], ['failed', 'create() did not come back within 10000 ms']);
  assert.ok((await degraded(hub)).includes('bad: failed'));
  await othersGoOn(hub, 'all the same');
  const end = await hub.stop();
  assert.equal(end.code, 0, hub.log.slice(-2000));
  assert.ok(end.seconds < 15, `${end.seconds} s`);
});

/** Starts the hub again until it has nothing left to do; answers how many times it died. */
async function revive(hub, { most = 8 } = {}) {
  const isDead = () => hub.process.exitCode !== null || hub.process.signalCode !== null;
  const owed = async () => (await hub.sql("SELECT (SELECT count(*) FROM ingress WHERE state = 'received')"
    + " + (SELECT count(*) FROM jobs WHERE state IN ('waiting', 'ready', 'running')) AS count"))[0].count;
  for (let deaths = 1; deaths <= most; deaths += 1) {
    await until('it is dead', isDead, { seconds: 40 });
    // It may be gone in the middle of the first requests.
    await hub.launch().catch((error) => until('it died at its start', isDead, { seconds: 10 }).catch(() => { throw error; }));
    await until('it died again, or has done all', async () => isDead() || await owed() === 0, { seconds: 40 });
    if (!isDead()) return deaths;
  }
  throw new Error(`it still dies\n${hub.log.slice(-4000)}`);
}

describe('a plugin that crashes', { skip, concurrency: true }, () => {
  for (const how of ['segfault', 'abort', 'overflow']) {
    test(`F42 ${how} in receive: the webhook is set aside after two deaths, the rest is routed (G15)`, async (t) => {
      const { hub } = await stallingHub(t, { bad: {}, good: {} });
      for (let i = 0; i < 3; i += 1) assert.ok((await webhook(hub, 'good', `fine ${i}`)).ok);
      await webhook(hub, 'bad', how).catch(() => {});
      assert.equal(await revive(hub), 2);
      const [row] = await hub.sql("SELECT state, reason FROM ingress WHERE instance = 'bad'");
      assert.deepEqual(row, { state: 'dead', reason: 'the process died while the plugin read it' });
      assert.ok((await webhook(hub, 'bad', 'a good one')).ok);
      await hub.routed();
      assert.equal(await rowsIn(hub, 'routed', 'bad'), 1);
      assert.equal(await rowsIn(hub, 'routed', 'good'), 3);
    });
  }

  test('F42 killed in receive, as by the kernel for its memory: set aside after at most six deaths (G15)', async (t) => {
    const { hub } = await stallingHub(t, { bad: {} });
    await webhook(hub, 'bad', 'killed').catch(() => {});
    const deaths = await revive(hub);
    assert.ok(deaths <= 6, `${deaths} deaths`);
    assert.equal(await rowsIn(hub, 'dead', 'bad'), 1);
  });

  test('F42 in a flow: the job is set aside after two deaths, named or not after six, and its conversation goes on (G15)', async (t) => {
    const { hub } = await stallingHub(t, { bad: { flow: 'steps' }, steps: {} });
    for (const [how, most] of [['segfault', 2], ['killed', 6]]) {
      await webhook(hub, 'bad', `flow ${how}`).catch(() => {});
      const deaths = await revive(hub);
      assert.ok(deaths <= most, `${how}: ${deaths} deaths`);
    }
    const jobs = await hub.sql("SELECT state, last_error FROM jobs WHERE queue = 'flow' ORDER BY id");
    assert.deepEqual(jobs, Array(2).fill({ state: 'dead', last_error: 'the process died too often while it ran' }));
    assert.ok((await webhook(hub, 'bad', 'a good one')).ok);
    await until('the next one runs', async () => (await hub.sql("SELECT id FROM jobs WHERE queue = 'flow' AND state = 'done'")).length === 1);
  });

  test('F42 in send: the message fails after two deaths, the rest is delivered (G15)', async (t) => {
    const { hub } = await stallingHub(t, { bad: { mode: 'honours_id' } });
    const poison = await queue(hub, 'bad', 'segfault').catch(() => null);
    await hub.exited;
    await hub.launch();
    const rest = await Promise.all([1, 2, 3].map((i) => queue(hub, 'bad', `fine ${i}`)));
    for (const id of rest) await until('it is sent', async () => await status(hub, id) === 'accepted');
    await hub.exited;
    await hub.launch();
    const [message] = await hub.sql("SELECT id FROM messages WHERE body = 'segfault'");
    if (poison) assert.equal(message.id, poison);
    await until('it is set aside', async () => await status(hub, message.id) === 'failed', { seconds: 40 });
    const next = await queue(hub, 'bad', 'after it');
    await until('it is sent', async () => await status(hub, next) === 'accepted');
  });
});
