// /ws: who may listen, what is told, and that nothing is missed or told twice.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

import { Live } from '../../examples/ws/live.mjs';
import { until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { liveUrl, Proxy, Socket, WebSocket } from './lib/live.mjs';
import { root } from './lib/places.mjs';
import { Provider } from './lib/provider.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const guest = '+15558675310';
const departments = ['Reception', 'Housekeeping', 'Management'];

async function place(t, config = {}) {
  const provider = await Provider.start();
  const hub = await Hub.start({ config: { departments, plugins: { sms: smsInstance({ apiBase: provider.url }) }, ...config } });
  t.after(async () => {
    await hub.remove();
    await provider.stop();
  });
  return { hub, provider };
}

const textIn = async (hub, from, text) => {
  const answer = await postHook(hub, '/hooks/sms/message', inboundFields({ from, text }));
  assert.equal(answer.status, 200);
};

async function agentOf(hub, department) {
  const email = 'bo@example.com';
  const added = await hub.cli(['user', 'add', '--email', email, '--name', 'Bo', '--role', 'agent', '--department', department]);
  assert.equal(added.code, 0, added.stderr);
  return (await hub.cli(['token', '--email', email])).stdout.match(/[\w-]+\.[\w-]+\.[\w-]+/)[0];
}

test('a typing sign that comes by POST is told to the others', async (t) => {
  const { hub } = await place(t);
  await textIn(hub, guest, 'Hello');
  await hub.routed();
  const [opened] = await hub.list('/api/v1/conversations');
  const socket = await Socket.of(hub, 'admin');
  await socket.subscribe('conversations');
  const answer = await hub.api('POST', `/api/v1/conversations/${opened.id}/typing`, { is_typing: true });
  assert.equal(answer.status, 204, answer.body);
  const me = (await hub.api('GET', '/api/v1/auth/me')).json;
  assert.deepEqual((await socket.event('typing')).data, { conversation_id: opened.id, user_id: me.id, is_typing: true });
});

test('S67: a socket opens by header or first message, and by nothing in the URL', async (t) => {
  const { hub } = await place(t);
  const token = await hub.token('owner');
  const socket = await Socket.of(hub);
  const { user, seq, server } = socket.hello;
  const me = (await hub.api('GET', '/api/v1/auth/me')).json;
  assert.deepEqual(user, { id: me.id, number: me.number, role: 'owner' });
  assert.ok(Number.isSafeInteger(seq));
  assert.match(server, /^\d+\.\d+\.\d+/);

  const later = new Socket(liveUrl(hub));
  await later.opened;
  later.send({ type: 'auth', token });
  assert.equal((await later.hears((message) => message.type === 'hello')).user.id, me.id);

  const inUrl = await new Socket(liveUrl(hub, `?token=${token}`)).isRefused();
  assert.deepEqual([inUrl.status, JSON.parse(inUrl.body).code], [400, 'unknown_parameter']);
  assert.ok(!hub.log.includes(token), 'the log does not have it');
  const bad = await new Socket(liveUrl(hub), { headers: { authorization: 'Bearer abc' } }).isRefused();
  assert.equal(bad.status, 401);

  const lying = new Socket(liveUrl(hub));
  await lying.opened;
  lying.send({ type: 'auth', token: `${token}x` });
  assert.equal((await lying.isClosed()).code, 4401);
  const rude = new Socket(liveUrl(hub));
  await rude.opened;
  rude.send({ type: 'subscribe', topics: ['conversations'] });
  assert.equal((await rude.isClosed()).code, 4401);
});

test('S67: who says nothing for 5 s is closed with 4401', async (t) => {
  const { hub } = await place(t);
  const silent = new Socket(liveUrl(hub));
  await silent.opened;
  const began = Date.now();
  assert.equal((await silent.isClosed()).code, 4401);
  const seconds = (Date.now() - began) / 1000;
  assert.ok(seconds > 4 && seconds < 8, `${seconds} s`);
});

test('S67: a ticket opens one socket', async (t) => {
  const { hub } = await place(t);
  const made = await hub.api('POST', '/api/v1/auth/ws-ticket');
  assert.equal(made.status, 201, made.body);
  const { ticket, expires_at: end } = made.json;
  assert.match(ticket, /^wst_/);
  const left = new Date(end) - Date.now();
  assert.ok(left > 20_000 && left <= 30_000, `${left} ms`);
  const socket = new Socket(liveUrl(hub, `?ticket=${ticket}`));
  assert.equal((await socket.hears((message) => message.type === 'hello')).user.role, 'owner');
  const again = await new Socket(liveUrl(hub, `?ticket=${ticket}`)).isRefused();
  assert.deepEqual([again.status, JSON.parse(again.body).code], [401, 'unauthenticated']);
  assert.equal((await hub.api('POST', '/api/v1/auth/ws-ticket', undefined, { role: null })).status, 401);
  assert.ok(!hub.log.includes(ticket), 'the log does not have it');
});

async function personOf(hub, role) {
  const person = { email: `${role}.person@example.com`, password: 'correct horse battery' };
  const user = await hub.api('POST', '/api/v1/users', { ...person, name: 'Bo', role, departments: ['Reception'] });
  assert.equal(user.status, 201, user.body);
  const login = async (more) => {
    const answer = await hub.api('POST', '/api/v1/auth/login', { ...person, ...more }, { role: null });
    assert.equal(answer.status, 200, answer.body);
    return answer;
  };
  return { id: user.json.id, login };
}

async function listening(hub, headers) {
  const socket = new Socket(liveUrl(hub), { headers });
  await socket.hears((message) => message.type === 'hello');
  return socket;
}

test('S67: the cookie opens a socket for pages of the list only', async (t) => {
  const { hub } = await place(t, { server: { cors_origins: ['https://desk.example.com'] } });
  const { login } = await personOf(hub, 'agent');
  const [cookie] = [(await login({ session: true })).headers['set-cookie']].flat()[0].split(';');
  for (const origin of [hub.publicUrl, 'https://desk.example.com']) (await listening(hub, { cookie, origin })).close();
  for (const headers of [{ cookie }, { cookie, origin: 'https://evil.example.com' }, { cookie, origin: 'null' }]) {
    const refused = await new Socket(liveUrl(hub), { headers }).isRefused();
    assert.deepEqual([refused.status, JSON.parse(refused.body).code], [403, 'csrf_refused'], JSON.stringify(headers));
  }
});

test('S65: sockets end with the sign-in that opened them', async (t) => {
  const { hub } = await place(t);
  const { id, login } = await personOf(hub, 'agent');
  const bearer = async () => ({ authorization: `Bearer ${(await login({})).json.token}` });
  const [here, there] = [await bearer(), await bearer()];
  const [one, other] = [await listening(hub, here), await listening(hub, there)];
  assert.equal((await hub.api('POST', '/api/v1/auth/logout', undefined, { role: null, headers: here })).status, 204);
  assert.equal((await one.isClosed()).code, 4401);
  assert.equal((await other.ask({ type: 'ping' })).type, 'pong', 'another sign-in goes on');
  await hub.api('PATCH', `/api/v1/users/${id}`, { departments: ['Housekeeping'] });
  assert.equal((await other.isClosed()).code, 4403);
  const last = await listening(hub, await bearer());
  await hub.api('PATCH', `/api/v1/users/${id}`, { active: false });
  assert.equal((await last.isClosed()).code, 4401);
});

test('S68: close codes of sizes, rates and kinds', async (t) => {
  const { hub } = await place(t);
  const large = await Socket.of(hub);
  large.send('x'.repeat(65_537));
  assert.equal((await large.isClosed()).code, 1009);
  const binary = await Socket.of(hub);
  binary.ws.send(Buffer.from('{}'), { binary: true });
  assert.equal((await binary.isClosed()).code, 1003);
  const fast = await Socket.of(hub);
  for (let i = 0; i < 60; ++i) fast.send({ type: 'ping' });
  assert.equal((await fast.isClosed()).code, 1008);
  const odd = await Socket.of(hub);
  assert.equal((await odd.ask({ type: 'shout' })).code, 'unknown_command');
  odd.send('no JSON');
  assert.equal((await odd.hears((message) => message.code === 'invalid_json')).type, 'error');
  assert.equal((await odd.ask({ type: 'ping' })).type, 'pong');
});

test('tells each event in the shape of /api/v1, after it is committed', async (t) => {
  const { hub } = await place(t);
  const socket = await Socket.of(hub);
  const { topics, refused, seq } = await socket.subscribe('conversations', 'deliveries', 'plugins', 'presence');
  assert.deepEqual([topics.length, refused.length], [4, 0]);
  assert.equal(seq, socket.hello.seq + 1, 'his own coming is an event too');

  await textIn(hub, guest, 'Hello');
  const created = (await socket.event('message.created')).data.message;
  assert.deepEqual([created], await hub.list('/api/v1/messages'));
  const opened = (await socket.event('conversation.created')).data.conversation;
  assert.equal(opened.id, created.conversation_id);

  const sent = (await hub.api('POST', `/api/v1/conversations/${opened.id}/messages`, { text: 'Hi' })).json;
  const accepted = await socket.event('message.status', (data) => data.message_id === sent.id && data.status === 'accepted');
  assert.deepEqual(accepted.data, { message_id: sent.id, conversation_id: opened.id, status: 'accepted', error: null });
  const delivery = (await socket.event('delivery.changed', (data) => data.delivery.state === 'done')).data.delivery;
  assert.equal(delivery.message_id, sent.id);
  assert.deepEqual(delivery, (await hub.api('GET', `/api/v1/deliveries/${delivery.id}`)).json);

  await hub.api('POST', `/api/v1/conversations/${opened.id}/read`, {});
  const read = (await socket.event('read')).data;
  assert.deepEqual(read, { conversation_id: opened.id, unread: 0 });
  await hub.api('POST', `/api/v1/conversations/${opened.id}/assign`, { department: 'Reception' });
  await hub.api('POST', `/api/v1/conversations/${opened.id}/close`);
  assert.equal((await socket.event('conversation.updated')).data.conversation.department, 'Reception');
  assert.equal((await socket.event('conversation.closed')).data.conversation.state, 'closed');

  await hub.api('POST', '/api/v1/plugins/sms/disable');
  assert.deepEqual((await socket.event('plugin.changed')).data.plugin, (await hub.api('GET', '/api/v1/plugins/sms')).json);

  const colleague = await Socket.of(hub, 'admin');
  assert.deepEqual((await socket.event('presence', (data) => data.user_id === colleague.hello.user.id)).data,
    { user_id: colleague.hello.user.id, online: true });
  colleague.send({ type: 'typing', conversation_id: opened.number, is_typing: true });
  assert.deepEqual((await socket.event('typing')).data,
    { conversation_id: opened.id, user_id: colleague.hello.user.id, is_typing: true });

  let last = socket.hello.seq;
  for (const event of socket.events) {
    assert.equal(event.prev, last);
    assert.ok(event.seq > last);
    assert.match(event.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    last = event.seq;
  }
});

test('S69: an agent hears of his departments only, and of one conversation under its own name', async (t) => {
  const { hub } = await place(t);
  const owner = await Socket.of(hub);
  await owner.subscribe('conversations');
  await textIn(hub, guest, 'for the reception');
  await textIn(hub, '+15558675311', 'for the management');
  const [mine, theirs] = await until('two conversations', async () => {
    const all = await hub.list('/api/v1/conversations');
    return all.length === 2 && [guest, '+15558675311'].map((number) => all.find((one) => one.contact.address.value === number));
  });
  await hub.api('POST', `/api/v1/conversations/${mine.id}/assign`, { department: 'Reception' });
  await hub.api('POST', `/api/v1/conversations/${theirs.id}/assign`, { department: 'Management' });

  const token = await agentOf(hub, 'Reception');
  const agent = new Socket(liveUrl(hub), { headers: { authorization: `Bearer ${token}` } });
  await agent.hears((message) => message.type === 'hello');
  const { topics, refused } = await agent.subscribe(
    'conversations', `conversation:${mine.number}`, `conversation:${theirs.number}`, 'deliveries', 'plugins');
  assert.deepEqual(topics, ['conversations', `conversation:${mine.number}`, 'deliveries']);
  assert.deepEqual(refused, [{ topic: `conversation:${theirs.number}`, code: 'unknown_id' }, { topic: 'plugins', code: 'forbidden' }]);

  await textIn(hub, '+15558675311', 'secret');
  await textIn(hub, guest, 'room 12, please');
  const heard = await agent.event('message.created');
  assert.equal(heard.topic, `conversation:${mine.number}`);
  assert.equal(heard.data.message.text, 'room 12, please');
  await owner.event('message.created', (data) => data.message.text === 'secret');
  assert.ok(!JSON.stringify(agent.heard).includes('secret'));
  const typing = await agent.ask({ type: 'typing', conversation_id: theirs.number, is_typing: true });
  assert.equal(typing.code, 'unknown_id');
});

test('F36: a socket that is cut again and again misses no event and repeats none', async (t) => {
  const { hub } = await place(t);
  const proxy = await Proxy.start(hub.port);
  t.after(() => proxy.stop());
  const events = [];
  let resyncs = 0;
  const live = new Live({
    url: `ws://127.0.0.1:${proxy.port}/ws`, token: () => hub.token(), topics: ['conversations'], WebSocket,
    onEvent: (event) => events.push(event), onResync: () => { resyncs += 1; },
  });
  t.after(() => live.close());
  await until('it listens', () => live.last !== null);
  const [cuts, texts] = process.env.PATCHBAY_LONG ? [150, 1500] : [15, 150];
  const pause = process.env.PATCHBAY_LONG ? 2000 : 250;
  const cutting = (async () => {
    for (let i = 0; i < cuts; ++i) {
      await new Promise((go) => { setTimeout(go, pause); });
      proxy.cut();
    }
  })();
  for (let i = 0; i < texts; ++i) {
    await textIn(hub, guest, `text ${i}`);
    await new Promise((go) => { setTimeout(go, pause * cuts / texts); });
  }
  await cutting;
  const created = () => events.filter((event) => event.event === 'message.created');
  await until('all have come', () => created().length >= texts);
  await hub.routed();
  const stored = (await hub.list('/api/v1/messages?direction=in')).map((message) => message.text);
  assert.deepEqual(created().map((event) => event.data.message.text).sort(), stored.sort());
  assert.equal(new Set(events.map((event) => event.seq)).size, events.length);
  assert.equal(resyncs, 0);
});

test('G20: after a restart the numbers of before bring a resync, never a silent gap', async (t) => {
  const { hub } = await place(t);
  const events = [];
  const reasons = [];
  const live = new Live({
    url: liveUrl(hub), token: () => hub.token(), topics: ['conversations'], WebSocket,
    onEvent: (event) => events.push(event), onResync: (reason) => reasons.push(reason),
  });
  t.after(() => live.close());
  await until('it listens', () => live.last !== null);
  await textIn(hub, guest, 'before');
  await until('it hears', () => events.some((event) => event.event === 'message.created'));
  await hub.kill();
  await hub.launch();
  await until('it is told', () => reasons.length === 1);
  assert.deepEqual(reasons, ['too_old']);
  await textIn(hub, guest, 'after');
  await until('it hears again', () => events.some((event) => event.data.message?.text === 'after'));
});

test('G11: a stop closes with 1001 and says when to come back', async (t) => {
  const { hub } = await place(t);
  const socket = await Socket.of(hub);
  const stopped = hub.stop();
  const { code, reason } = await socket.isClosed();
  assert.equal(code, 1001);
  assert.match(reason, /^retry_in=\d+$/);
  assert.equal((await stopped).code, 0);
});

test('examples/ws/follow.mjs prints what happens', async (t) => {
  const { hub } = await place(t);
  const child = spawn(process.execPath,
    ['--experimental-websocket', path.join(root, 'examples/ws/follow.mjs'), liveUrl(hub), 'conversations', 'presence']);
  t.after(() => child.kill());
  let out = '';
  child.stdout.on('data', (data) => { out += data; });
  child.stderr.on('data', (data) => { out += data; });
  child.stdin.end(await hub.token());
  await until('it prints', async () => {
    await textIn(hub, guest, 'Hello');  // Until it listens nobody hears it.
    return /conversations message\.created .*"text":"Hello"/.test(out);
  }, { everyMs: 250 });
});
