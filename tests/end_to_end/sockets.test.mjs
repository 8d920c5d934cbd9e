// What clients do to the hub's sockets, and what others notice of it: nothing (faults F07, F27, F62, F63).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';

import { answerRule, Load } from '../faults/load.mjs';
import { drain, judge } from '../faults/verdict.mjs';
import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { build, missing, sharedJson } from './lib/places.mjs';
import { cpuSeconds, memoryPeak } from './lib/process.mjs';
import { Provider } from './lib/provider.mjs';

const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });

async function place(t, { limits = {}, flow } = {}) {
  const provider = await Provider.start();
  provider.statuses = [];
  const plugins = { sms: smsInstance({ apiBase: provider.url, limits: { concurrency: 16, ...limits }, ...(flow ? { flow: 'replies' } : {}) }) };
  if (flow) plugins.replies = { plugin: 'auto_reply', config: { rules: [answerRule] } };
  const hub = await Hub.start({ config: { log: { level: 'warn', format: 'text', file: '' }, plugins } });
  t.after(async () => { await hub.remove(); await provider.stop(); });
  return { hub, provider };
}

/** A raw connection: `text` is what came, `ended` whether the hub closed it. */
function dial(hub, bytes = '') {
  const socket = net.connect(hub.port, '127.0.0.1');
  const line = { socket, text: '', ended: false };
  socket.on('data', (part) => { line.text += part.toString('latin1'); });
  socket.on('end', () => { line.ended = true; });
  socket.on('close', () => { line.ended = true; });
  socket.on('error', () => {});
  socket.on('connect', () => { line.connected = true; if (bytes.length > 0) socket.write(bytes); });
  return line;
}

const planted = path.join(build, 'planted/one');
const noPlanted = fs.existsSync(planted) ? false : 'no planted plugins in this build';
test('F07 a stop with a hundred open sockets, half a header and a send that takes twenty seconds ends in time (G11)', { skip: noPlanted }, async (t) => {
  const hub = await Hub.start({ config: { plugin_path: [planted], plugins: { slow: { plugin: 'faulty', isolation: 'none', config: { token: 'of the test' } } } } });
  t.after(() => hub.remove());
  const sent = await hub.api('POST', '/api/v1/messages', { channel: 'slow', to: '+15558675310', text: 'twenty seconds' });
  await until('it is under way', async () => (await hub.api('GET', `/api/v1/messages/${sent.json.id}`)).json.status === 'sending');
  const idle = Array.from({ length: 100 }, () => dial(hub));
  const half = dial(hub, 'POST /hooks/slow/in HTTP/1.1\r\nHost: h\r\nX-Hal');
  const body = dial(hub, 'POST /hooks/slow/in HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf');
  t.after(() => { for (const line of [...idle, half, body]) line.socket.destroy(); });
  await until('all are there', () => [...idle, half, body].every((line) => line.connected));
  const end = await hub.stop();
  assert.equal(end.code, 0);
  assert.ok(end.seconds <= 30, `${end.seconds} s`);
  assert.ok(end.seconds >= 15, 'it waited for what was under way');
  await until('every socket is closed', () => [...idle, half, body].every((line) => line.ended));
  assert.deepEqual(await hub.sql(`SELECT status FROM messages WHERE id = '${sent.json.id}'`), [{ status: 'accepted' }], 'which was finished');
  assert.deepEqual(await hub.sql('SELECT id FROM ingress'), [], 'half a request is none');
});

test('F27 a hundred bodies over the limit at once: refused before they are read, and closed (G19)', async (t) => {
  const { hub } = await place(t);
  const head = (more) => `POST /hooks/sms/message HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n${more}\r\n\r\n`;
  await send(hub.url, '/health/live');
  const before = memoryPeak(hub.process.pid);
  // None of them sends a byte of its body: an answer proves that none was waited for.
  const declared = Array.from({ length: 100 }, (_, i) => dial(hub, head(`Content-Length: ${[3_145_729, 1e9, 1e15][i % 3]}`)));
  t.after(() => { for (const line of declared) line.socket.destroy(); });
  await until('each is answered and closed', () => declared.every((line) => line.ended), { seconds: 10 });
  for (const line of declared) assert.match(line.text, /^HTTP\/1\.1 413 [^]*\r\nConnection: close\r\n/i);
  const expecting = dial(hub, head('Content-Length: 1000000000\r\nExpect: 100-continue'));
  await until('it is refused', () => expecting.ended);
  assert.match(expecting.text, /^HTTP\/1\.1 413 /, 'S18: and not told to go on');
  // Chunked ones declare nothing: they are cut at the limit.
  const piece = Buffer.from(`10000\r\n${'a'.repeat(65_536)}\r\n`);
  const chunked = Array.from({ length: 20 }, () => {
    const line = dial(hub, head('Transfer-Encoding: chunked'));
    const pour = () => { while (!line.ended && !line.socket.destroyed && line.socket.write(piece)); };
    line.socket.on('drain', pour);
    line.socket.on('connect', pour);
    return line;
  });
  await until('each is answered and closed', () => chunked.every((line) => line.ended), { seconds: 20 });
  for (const line of chunked) if (line.text) assert.match(line.text, /^HTTP\/1\.1 (413|503) /);
  assert.ok(chunked.some((line) => line.text), 'the answer arrives where the client reads');
  const grown = (memoryPeak(hub.process.pid) - before) / 1024;
  t.diagnostic(`${grown.toFixed(1)} MiB more`);
  assert.ok(grown < 80, `${grown.toFixed(1)} MiB more: twenty bodies up to the limit, never what was declared`);
  assert.deepEqual(await hub.sql('SELECT id FROM ingress'), []);
  assert.equal((await send(hub.url, '/health/ready')).status, 200);
});

test('F62 no file descriptor left: it waits without spinning, answers those it has, and recovers', async (t) => {
  const { hub } = await place(t);
  const kept = dial(hub);
  await until('one is connected', () => kept.connected);
  execFileSync('prlimit', ['--pid', String(hub.process.pid), '--nofile=64:1024']);
  const crowd = Array.from({ length: 150 }, () => dial(hub));
  t.after(() => { for (const line of [...crowd, kept]) line.socket.destroy(); });
  const open = () => fs.readdirSync(`/proc/${hub.process.pid}/fd`).length;
  await until('it has no descriptor left', () => open() >= 64);
  const [cpu, began] = [cpuSeconds(hub.process.pid), Date.now()];
  await wait(3000);  // A span of time is what is measured here.
  const share = (cpuSeconds(hub.process.pid) - cpu) / ((Date.now() - began) / 1000);
  assert.ok(share < 0.2, `${(share * 100).toFixed(1)} % of a CPU`);
  kept.socket.write('GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n');
  await until('a connection it has is served', () => kept.text.startsWith('HTTP/1.1 200 '));
  for (const line of crowd) line.socket.destroy();
  const again = Date.now();
  await until('it takes connections again', async () => (await send(hub.url, '/health/ready', { timeoutMs: 2000 })).status === 200);
  assert.ok(Date.now() - again < 5000);
  t.diagnostic(`${(share * 100).toFixed(1)} % of a CPU while exhausted`);
});

const corpus = 'framing/cases.json';
test('F63 malformed requests during load: nobody else notices', { skip: missing(corpus) }, async (t) => {
  const { hub, provider } = await place(t, { flow: true });
  const { cases } = sharedJson(corpus);
  assert.ok(cases.length >= 120);
  const load = new Load({ hub, token: await hub.token(), conversations: 100, webhooksPerSecond: 100, sendsPerSecond: 30 });
  load.start();
  await until('traffic flows', () => load.webhooks.length > 50);
  let ran = 0;
  const waits = [];
  const hammer = async (offset) => {
    for (let i = 0; i < cases.length; i += 1) {
      const one = cases[(i + offset) % cases.length];
      const line = dial(hub, Buffer.from(one.bytes_base64, 'base64'));
      await until('it is sent', () => line.connected || line.ended);
      // What waits for more gets nothing more.
      if (['partial', 'waits'].includes(one.expect)) line.socket.end();
      await until(`${one.name}: it is answered or closed`, () => line.ended || line.text.includes('\r\n\r\n'), { everyMs: 2 });
      assert.doesNotMatch(line.text, /^HTTP\/1\.1 5(?!0[15])/, one.name);
      line.socket.destroy();
      ran += 1;
    }
  };
  const probe = setInterval(async () => {
    const began = Date.now();
    await send(hub.url, '/health/live').then(() => waits.push(Date.now() - began), () => waits.push(Infinity));
  }, 50);
  await Promise.all(Array.from({ length: 8 }, (_, i) => hammer(i * 15)));
  clearInterval(probe);
  assert.equal(ran, 8 * cases.length);
  await load.stop();
  assert.deepEqual(load.strange, []);
  waits.sort((a, b) => a - b);
  const [median, slowest] = [waits[Math.floor(waits.length / 2)], waits.at(-1)];
  t.diagnostic(`${load.webhooks.length} webhooks and ${load.sends.length} sends meanwhile; another client waited ${median} ms, ${slowest} ms at most`);
  assert.ok(median < 250 && slowest < Infinity, `another client waited ${median} ms, ${slowest} ms at most`);
  assert.ok(await drain(hub, { seconds: 60 }), 'what was owed is done');
  const verdict = await judge({ hub, provider, load });
  assert.deepEqual({ ...verdict.counts, broken: verdict.broken, unknown: verdict.unknown },
    { lost: 0, duplicated: 0, reordered: 0, regressed: 0, broken: [], unknown: 0 }, verdict.examples.join('\n'));
});
