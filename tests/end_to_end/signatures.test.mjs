// Every published and own case of X-Twilio-Signature, over HTTP against the real binary (S40, S41, S44, S4-24).
//
// The hub knows its public URL from its configuration, so cases are grouped by the address that the server believes in and by
// token; each group has a hub with one instance whose `message` route has the paths of the cases as aliases.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { send } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { missing, sharedJson } from './lib/places.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const file = 'contracts/vectors/twilio-signatures.json';
const absent = missing(file);

/** What the proxy in front strips: the hub's public URL ends in it, the request line does not have it. */
const proxyPrefix = '/patchbay';

/**
 * S19: a path with an empty segment never gets in, so such a URL is what Twilio made of a public URL that ends in a slash, with a
 * proxy in front that merges the two: the hub's public URL is written with that slash.
 */
function split(url) {
  const [, origin, target] = url.match(/^(https?:\/\/[^/]+)(\/.*)$/);
  if (target.startsWith('//')) return { publicUrl: `${origin}/`, target: target.slice(1) };
  return target.startsWith(`${proxyPrefix}/`)
    ? { publicUrl: origin + proxyPrefix, target: target.slice(proxyPrefix.length) }
    : { publicUrl: origin, target };
}

function groupsOf(cases) {
  const groups = new Map();
  for (const one of cases) {
    const { publicUrl, target } = split(one.url);
    const key = `${publicUrl} ${one.auth_token}`;
    if (!groups.has(key)) groups.set(key, { publicUrl, token: one.auth_token, rows: [] });
    groups.get(key).rows.push({ ...one, target });
  }
  return [...groups.values()];
}

/** Any 2xx where the signature is right, 401 where it is not. */
function assertAnswer(row, answer) {
  if (row.valid) {
    assert.ok(answer.ok, `expected 2xx, got ${answer.status} ${answer.body}`);
  } else {
    assert.equal(answer.status, 401);
    assert.equal(answer.body, '', 'S44: nothing is told about what was wrong');
  }
}

describe('a signed request over HTTP (S40, S41)', { skip: absent, concurrency: 4 }, () => {
  const { cases } = absent ? { cases: [] } : sharedJson(file);
  let ran = 0;
  after(() => assert.equal(ran, 60, 'every case ran'));

  for (const group of groupsOf(cases)) {
    test(`at ${group.publicUrl} with token ${group.token.slice(0, 6)}`, async (t) => {
      const paths = [...new Set(group.rows.map((row) => row.target.split('?')[0]))];
      const hub = await Hub.start({
        publicUrl: group.publicUrl,
        config: {
          plugins: { sms: smsInstance({ config: { auth_token: group.token }, aliases: { message: paths } }) },
        },
      });
      t.after(() => hub.remove());
      for (const row of group.rows) {
        await t.test(`${row.valid ? 'accepts' : 'refuses'}: ${row.name}`, async () => {
          const type = row.content_type ? { 'content-type': row.content_type } : {};
          const answer = await send(hub.url, row.target, {
            method: row.method, body: row.raw_body ?? '', headers: { ...type, 'x-twilio-signature': row.signature },
          });
          ran += 1;
          assertAnswer(row, answer);
        });
      }
    });
  }
});

test('S19 a path with two slashes is refused before its signature is looked at', async (t) => {
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance() } } });
  t.after(() => hub.remove());
  const fields = inboundFields({ from: '+15558675310', text: 'hi' });
  assert.equal((await postHook(hub, '//hooks/sms/message', fields)).status, 400);
  assert.deepEqual(await hub.sql('SELECT id FROM ingress'), [], 'nothing is stored');
});

describe('the signature header (S44)', () => {
  test('is needed, once, and the answer has no body', async (t) => {
    const hub = await Hub.start({ config: { plugins: { sms: smsInstance() } } });
    t.after(() => hub.remove());
    const body = 'MessageSid=SM0123456789abcdef0123456789abcdef&From=%2B15558675310&To=%2B14155552671&Body=hi';
    for (const headers of [{}, { 'x-twilio-signature': '' }, { 'x-twilio-signature': ['RSOYDt4T1cUTdK1PDd93/VVr8B8=', 'RSOYDt4T1cUTdK1PDd93/VVr8B8='] }]) {
      const answer = await send(hub.url, '/hooks/sms/message', {
        method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      });
      assert.equal(answer.status, 401);
      assert.equal(answer.body, '');
    }
    assert.deepEqual(await hub.sql('SELECT id FROM ingress'), [], 'nothing is stored');
  });
});
