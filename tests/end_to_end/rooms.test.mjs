// examples/rooms in the real hub: a product of its own, with a table, an API and a WebSocket (architecture 10.5).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { until } from './lib/http.mjs';
import { Hub } from './lib/hub.mjs';
import { Socket } from './lib/live.mjs';
import { build } from './lib/places.mjs';

const noRooms = fs.existsSync(path.join(build, 'plugins/rooms.so')) ? false : 'no rooms.so in this build';
const blue = { id: 1, name: 'Blue', floor: 2 };

const place = async (t, more = {}) => {
  const hub = await Hub.start({ config: { plugins: { rooms: { plugin: 'rooms', ...more } } } });
  t.after(() => hub.remove());
  return hub;
};
const socketUrl = (hub, query = '') => `${hub.url.replace('http', 'ws')}/ws/rooms/${query}`;
const listen = async (hub, role = 'viewer') => {
  const socket = new Socket(socketUrl(hub), { headers: { authorization: `Bearer ${await hub.token(role)}` } });
  await socket.hears((heard) => heard.rooms, 'the list');
  return socket;
};

test('a room is posted, heard of at a socket, and outlives a reload and a restart', { skip: noRooms }, async (t) => {
  const hub = await place(t);
  const early = await listen(hub);
  assert.deepEqual(early.heard[0], { rooms: [] });

  const added = await hub.api('POST', '/api/rooms/', { name: 'Blue', floor: 2 });
  assert.equal(added.status, 201, added.body);
  assert.deepEqual(added.json, blue);
  await early.hears((heard) => heard.room?.name === 'Blue', 'the new room');
  assert.deepEqual((await hub.api('GET', '/api/rooms')).json, { rooms: [blue] }, 'with and without the last slash');

  assert.equal((await hub.api('POST', '/api/v1/plugins/rooms/reload')).status, 200);
  await until('the socket is closed', () => early.closed);
  assert.deepEqual(early.closed, { code: 1001, reason: 'retry_in=1' });
  const late = await listen(hub);
  assert.deepEqual(late.heard[0], { rooms: [blue] }, 'it comes back and finds all');
  assert.equal((await hub.api('POST', '/api/rooms/', { name: 'Green' })).status, 201);
  await late.hears((heard) => heard.room?.name === 'Green', 'the new room');

  await hub.stop();
  await until('the socket is closed', () => late.closed);
  assert.equal(late.closed.code, 1001);
  await hub.launch();
  assert.deepEqual((await hub.api('GET', '/api/rooms/')).json.rooms.map((room) => room.name), ['Blue', 'Green']);
  assert.deepEqual(await hub.sql("SELECT name FROM plugin_tables WHERE plugin='rooms'"), [{ name: 'rooms_rooms' }]);
});

test('who may call and listen is the hub\'s to see to; what is sent is the plugin\'s', { skip: noRooms }, async (t) => {
  const hub = await place(t);
  assert.equal((await hub.api('GET', '/api/rooms/', undefined, { role: null })).status, 401);
  assert.equal((await hub.api('POST', '/api/rooms/', { name: 'Blue' }, { role: 'viewer' })).status, 403);
  assert.equal((await hub.api('GET', '/api/rooms/', undefined, { role: 'viewer' })).status, 200);
  assert.equal((await hub.api('POST', '/api/rooms/', undefined, { raw: '{"name":' })).status, 422);
  assert.equal((await hub.api('POST', '/api/rooms/', { floor: 99, name: 'Sky' })).status, 422);
  assert.equal((await hub.api('POST', '/api/rooms/', { name: 'Blue' })).status, 201);
  assert.equal((await hub.api('POST', '/api/rooms/', { name: 'Blue' })).status, 409);

  const nobody = new Socket(socketUrl(hub));
  await until('nobody is refused', () => nobody.refused);
  assert.equal(nobody.refused.status, 401);
  const inUrl = new Socket(socketUrl(hub, `?token=${await hub.token()}`));
  await until('a token in the URL is none here', () => inUrl.refused);
  assert.equal(inUrl.refused.status, 400, 'S67');
  const { ticket } = (await hub.api('POST', '/api/v1/auth/ws-ticket', undefined, { role: 'agent' })).json;
  const page = new Socket(socketUrl(hub, `?ticket=${ticket}`));
  await page.hears((heard) => heard.rooms, 'the list');

  const [{ id }] = (await hub.list('/api/v1/users')).filter((user) => user.role === 'agent');
  assert.equal((await hub.api('PATCH', `/api/v1/users/${id}`, { active: false })).status, 200);
  await until('who was disabled is hung up on', () => page.closed);
  assert.equal(page.closed.code, 4401);
});

test('switched off, its paths say so and its sockets come back later', { skip: noRooms }, async (t) => {
  const hub = await place(t);
  const socket = await listen(hub);
  assert.equal((await hub.api('POST', '/api/v1/plugins/rooms/disable')).status, 200);
  await until('the socket is closed', () => socket.closed);
  assert.deepEqual(socket.closed, { code: 1001, reason: 'retry_in=5' });
  const off = await hub.api('GET', '/api/rooms/');
  assert.equal(off.status, 503);
  assert.equal(off.json.code, 'channel_unavailable');
  const refused = new Socket(socketUrl(hub), { headers: { authorization: `Bearer ${await hub.token()}` } });
  await until('a socket is refused', () => refused.refused);
  assert.equal(refused.refused.status, 503);
  assert.equal((await hub.api('POST', '/api/v1/plugins/rooms/enable')).status, 200);
  assert.deepEqual((await listen(hub)).heard[0], { rooms: [] });
});

test('a socket that does not read is closed, and nobody else waits for it (G20, S68)', { skip: noRooms }, async (t) => {
  const hub = await place(t);
  const [slow, quick] = [await listen(hub), await listen(hub)];
  slow.ws.pause();
  const name = 'x'.repeat(60_000);
  for (let i = 0; i < 300; i += 1) {
    assert.equal((await hub.api('POST', '/api/rooms/', { name: `${name}${i}` })).status, 201);
  }
  await quick.hears((heard) => heard.room?.name === `${name}299`, 'the last room');
  slow.ws.resume();
  await until('the slow one is closed', () => slow.closed, { seconds: 20 });
  assert.ok([1013, 1006].includes(slow.closed.code), JSON.stringify(slow.closed));
});
