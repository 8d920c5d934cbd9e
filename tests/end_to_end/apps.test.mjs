// What the hub offers to plugins with a product of their own, through a plugin that is really loaded (architecture 10.5).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { Socket } from './lib/live.mjs';
import { build } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const planted = path.join(build, 'planted/one');
const noBusy = fs.existsSync(path.join(planted, 'busy.so')) ? false : 'no planted plugins in this build';

async function place(t, { config = {}, more = {}, ...rest } = {}) {
  const hub = await Hub.start({
    config: {
      plugin_path: [planted, path.join(build, 'plugins')],
      plugins: { busy: { plugin: 'busy', config: { other: 'other', ...config } }, other: { plugin: 'busy' }, ...more },
      ...rest,
    },
  });
  t.after(() => hub.remove());
  return hub;
}

const act = async (hub, what, text) => {
  const answer = await send(hub.url, `/api/busy/${what}`, {
    method: 'POST', body: text, headers: { authorization: `Bearer ${await hub.token()}`, 'content-type': 'text/plain' },
  });
  return { status: answer.status, text: answer.body };
};
const heard = async (hub) => (await send(hub.url, '/api/busy/')).body.split('\n');
const hears = (hub, line) => until(`it hears ${line}`, async () => (await heard(hub)).includes(line));
const count = async (hub, line) => (await heard(hub)).filter((one) => one === line).length;

test('timers and tasks begin with the instance, end with it, and come on threads of the hub (timers/1, tasks/1)', { skip: noBusy }, async (t) => {
  const hub = await place(t, { config: { tick: '100ms' } });
  await hears(hub, 'task begun ');
  await until('it ticks', async () => (await count(hub, 'timer tick ')) >= 3);
  await act(hub, 'after', 'x');
  await hears(hub, 'timer once x');
  await act(hub, 'post', 'y');
  await hears(hub, 'task asked y');
  assert.equal((await hub.api('POST', '/api/v1/plugins/busy/reload')).status, 200);
  await hears(hub, 'task begun ');
  await until('the new one ticks', async () => (await count(hub, 'timer tick ')) >= 2);
  assert.equal(await count(hub, 'timer once x'), 0, 'a generation has its own');
});

test('a route says who may call and how long it may take (http/1)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  assert.equal((await send(hub.url, '/api/busy')).status, 200, 'public, with and without the last slash');
  assert.equal((await send(hub.url, '/api/busy/left', { method: 'POST' })).status, 401);
  assert.equal((await hub.api('POST', '/api/busy/left', undefined, { role: 'admin' })).status, 403);
  assert.deepEqual(await act(hub, 'left', ''), { status: 200, text: '5000' });
});

test('a socket joins, hears, leaves and is closed as the plugin says (sockets/1)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  const open = async (room, query = '') => {
    const socket = new Socket(`${hub.url.replace('http', 'ws')}/ws/busy/${room}${query}`);
    await socket.hears((heard) => 'role' in heard, 'the first message');
    return socket;
  };
  const [one, two] = [await open('blue'), await open('blue')];
  await one.hears((heard) => heard.pushed, 'what was pushed while it opened');
  assert.deepEqual(one.heard.slice(0, 2), [{ role: '' }, { pushed: 'while it opened' }], 'behind the first message, without a gap');
  await until('and from the other one', () => one.heard.length === 3);
  one.send('count');
  await one.hears((heard) => heard === 2, 'two');
  one.send('leave');
  await one.hears((heard) => heard === 'left', 'left');
  two.send('count');
  await two.hears((heard) => heard === 1, 'one');
  two.send('to me');
  await two.hears((heard) => heard === 'to you alone', 'alone');
  assert.ok(!one.heard.includes('to you alone'));

  const closes = [
    ['close', 4000, 'as asked'], ['close me', 1000, 'from outside'], ['wrong close', 1011, 'internal error'], ['forbidden', 4403, 'not allowed'],
    ['throw', 1011, 'internal error'], ['x'.repeat(1001), 1009, 'the message is too large'],
  ];
  for (const [text, code, reason] of closes) {
    const socket = await open('red');
    socket.send(text);
    await until(`${text.slice(0, 20)} closes`, () => socket.closed);
    assert.deepEqual(socket.closed, { code, reason }, text.slice(0, 20));
  }
  await until('the plugin hears of each', async () => (await count(hub, 'closed red')) === closes.length);
  const mine = await open('green', `?token=${await hub.token('agent')}`);
  assert.deepEqual(mine.heard[0], { role: 'agent' }, 'where the plugin takes a token in the query');
  assert.ok(!hub.log.includes(await hub.token('agent')), 'S67: and nobody finds it in the log');
  assert.equal((await hub.api('POST', '/api/v1/plugins/busy/reload')).status, 200);
  for (const socket of [one, two, mine]) {
    await until('all are told to come back', () => socket.closed);
    assert.deepEqual(socket.closed, { code: 1001, reason: 'retry_in=1' });
  }
});

test('what one plugin queues for another is done once, also behind a restart (operations/1)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  const state = async () => (await hub.sql("SELECT state FROM jobs WHERE kind='operation'")).map((job) => job.state);
  assert.deepEqual(await act(hub, 'perform', '1'), { status: 200, text: '{"noted":true}' });
  assert.equal((await hub.api('POST', '/api/v1/plugins/other/disable')).status, 200);
  assert.equal((await act(hub, 'perform', '2')).status, 503);
  assert.equal((await act(hub, 'queue', 'k')).status, 200);
  assert.equal((await act(hub, 'queue', 'k')).status, 200);
  assert.deepEqual(await state(), ['ready']);
  await hub.kill();
  await hub.launch();
  await until('it is done', async () => (await state())[0] === 'done');
  assert.equal((await act(hub, 'queue', 'k')).status, 200);
  assert.deepEqual(await state(), ['done']);
});

test('events reach every plugin that wants them, and a disabled one later (events/1)', { skip: noBusy }, async (t) => {
  const provider = await Provider.start();
  t.after(() => provider.stop());
  const hub = await place(t, { more: { sms: smsInstance({ apiBase: provider.url }) } });
  await act(hub, 'publish', 'hello');
  await act(hub, 'publish', 'hello');
  await hears(hub, 'event busy.said hello');
  await postHook(hub, '/hooks/sms/message', inboundFields({ from: '+15558675310', text: 'from outside' }));
  await hears(hub, 'event message.created from outside');
  assert.equal(await count(hub, 'event busy.said hello'), 1);
  await until('the other one, too', async () => {
    const jobs = await hub.sql("SELECT state FROM jobs WHERE queue='events:other'");
    return jobs.length >= 2 && jobs.every((job) => job.state === 'done');
  });
  assert.equal((await hub.api('POST', '/api/v1/plugins/busy/disable')).status, 200);
  await postHook(hub, '/hooks/sms/message', inboundFields({ from: '+15558675310', text: 'meanwhile' }));
  await hub.routed();
  assert.equal((await hub.api('POST', '/api/v1/plugins/busy/enable')).status, 200);
  await hears(hub, 'event message.created meanwhile');
});

test('metrics have the plugin in their name and nobody\'s number in them (metrics/1)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  await act(hub, 'count', 'tea');
  await act(hub, 'count', 'tea');
  await act(hub, 'count', '+15558675310');
  const { body } = await hub.api('GET', '/metrics');
  assert.match(body, /^patchbay_plugin_busy_asked_total\{instance="busy",what="tea"\} 2$/m);
  assert.doesNotMatch(body, /5558675310/);
});

test('files are kept, read, and fetched where no address rule forbids it (blobs/1, S50)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  const { text: id } = await act(hub, 'store', 'some text');
  assert.deepEqual(await act(hub, 'read', id), { status: 200, text: 'some text' });
  assert.match((await act(hub, 'link', id)).text, new RegExp(`/media/${id}\\?`));
  assert.equal((await act(hub, 'read', 'none')).status, 404);
  assert.equal((await act(hub, 'fetch', 'https://169.254.169.254/latest/meta-data')).status, 403);
  const fetched = await act(hub, 'fetch', `${hub.url}/api/v1/openapi.json`);
  assert.equal(fetched.status, 200, fetched.text);
  assert.match((await act(hub, 'read', fetched.text)).text, /"openapi"/);
});

test('users are found, and sign-ins are limited as at the hub\'s own door (identity/1, S61)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  assert.equal((await act(hub, 'user', 'owner@example.com')).text, 'owner');
  for (let i = 0; i < 10; i += 1) assert.equal((await act(hub, 'sign-in', 'owner@example.com')).status, 401);
  assert.equal((await act(hub, 'sign-in', 'owner@example.com')).status, 429);
  const login = await hub.api('POST', '/api/v1/auth/login', { email: 'owner@example.com', password: 'also wrong' }, { role: null });
  assert.equal(login.status, 429, 'the tries count for both doors');
});

test('a plugin touches its own tables alone, and all that belongs together at once (tables/1)', { skip: noBusy }, async (t) => {
  const hub = await place(t);
  for (const sql of ['SELECT email FROM users', 'DELETE FROM messages', 'SELECT name FROM sqlite_master']) {
    assert.notEqual((await act(hub, 'query', sql)).status, 200, sql);
  }
  assert.equal((await act(hub, 'transaction', 'a')).status, 200);
  await hears(hub, 'event busy.said a');
  assert.equal((await act(hub, 'transaction', 'b')).status, 409, 'its id is taken');
  assert.deepEqual(await act(hub, 'query', 'SELECT id FROM busy_notes'), { status: 200, text: '1' });
  assert.equal(await count(hub, 'event busy.said b'), 0);
  assert.deepEqual(await hub.sql("SELECT component, version FROM schema_version WHERE component LIKE 'plugin:%'"), [{ component: 'plugin:busy', version: 1 }], 'once for both instances');
});
