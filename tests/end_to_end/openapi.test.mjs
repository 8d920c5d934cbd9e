// The description of the API, judged by parties that nobody here wrote: a validator of OpenAPI 3.1, and Prism, which has to be able to
// play the hub from nothing else.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { freePort, send, until } from './lib/http.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { judgePackage, npmCache } from './lib/places.mjs';

describe('/api/v1/openapi.json', () => {
  let hub;
  let text;
  before(async () => {
    hub = await Hub.start({ config: { plugins: { sms: smsInstance() } } });
    const answer = await send(hub.url, '/api/v1/openapi.json');
    assert.equal(answer.status, 200, 'for everyone');
    assert.equal(answer.headers['content-type'], 'application/json');
    text = answer.body;
  });
  after(() => hub?.remove());

  test('is OpenAPI 3.1 in the eyes of a validator', async () => {
    const { Validator } = await import(pathToFileURL(judgePackage.resolve('@seriousme/openapi-schema-validator')));
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(text));
    assert.ok(valid, JSON.stringify(errors, null, 2));
    assert.equal(validator.version, '3.1');
  });

  test('has every path of the hub and those of the plugins, with who may call them', () => {
    const { paths, components } = JSON.parse(text);
    const send_ = paths['/api/v1/messages'].post;
    assert.deepEqual(send_['x-roles'], ['owner', 'admin', 'expert', 'agent', 'api:messages:send']);
    assert.deepEqual(send_.security.map((one) => Object.keys(one)[0]).sort(), ['api_key', 'bearer', 'cookie']);
    assert.deepEqual(Object.keys(components.securitySchemes).sort(), ['api_key', 'bearer', 'cookie']);
    assert.ok(paths['/api/sms/send/'].post, 'of the plugin');
    assert.ok(!Object.keys(paths).some((one) => one.startsWith('/hooks')), 'a provider needs no description');
  });

  test('gives every code of a refusal a page', () => {
    const codes = [...text.matchAll(/"enum":(\["[a-z_]+"(?:,"[a-z_]+")*\])\}\}\}\]/g)].flatMap((found) => JSON.parse(found[1]));
    assert.ok(codes.length > 100, `${codes.length} codes`);
    const pages = new Set(fs.readdirSync(new URL('../../docs/errors', import.meta.url)).map((name) => name.replace('.md', '')));
    assert.deepEqual([...new Set(codes)].filter((code) => !pages.has(code)), []);
  });

  test('is enough for Prism to play the hub', async () => {
    const file = path.join(hub.folder, 'openapi.json');
    fs.writeFileSync(file, text);
    const port = await freePort();
    const main = path.join(npmCache, 'node_modules/@stoplight/prism-cli/dist/index.js');
    const prism = spawn(process.execPath, [main, 'mock', '--port', String(port), '--host', '127.0.0.1', file], { stdio: 'ignore' });
    try {
      const url = `http://127.0.0.1:${port}`;
      const live = await until('Prism answers', () => send(url, '/health/live'), { seconds: 180 });
      assert.deepEqual([live.status, live.json.status], [200, 'live']);
      const anonymous = await send(url, '/api/v1/users');
      assert.equal(anonymous.status, 401, 'the document says that one has to sign in');
      const headers = { authorization: 'Bearer x', 'content-type': 'application/json' };
      const sent = await send(url, '/api/v1/messages', { method: 'POST', headers, body: JSON.stringify({ channel: 'sms', text: 'Hi' }) });
      assert.equal(sent.status, 202, sent.body);
      const odd = await send(url, '/api/v1/messages', { method: 'POST', headers, body: JSON.stringify({ channel: 7, text: 'Hi' }) });
      assert.equal(odd.status, 422, odd.body);
    } finally {
      prism.kill('SIGKILL');
    }
  });
});
