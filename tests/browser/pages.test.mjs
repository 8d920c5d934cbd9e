// Pages and the API as a real browser sees them: Chromium is the judge of the policy in the page headers (S6C) and of CORS (S6B).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';

import { freePort } from '../end_to_end/lib/http.mjs';
import { Hub, smsInstance } from '../end_to_end/lib/hub.mjs';
import { judgePackage } from '../end_to_end/lib/places.mjs';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => fs.existsSync(file));

/** An empty page on an origin of its own. */
async function startPage(port) {
  const server = http.createServer((request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>page</title>'));
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  return { url: `http://127.0.0.1:${port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}

describe('in Chromium', { skip: chromium ? false : 'no chromium on this machine' }, () => {
  let hub;
  let browser;
  let ours;
  let other;
  before(async () => {
    ours = await startPage(await freePort());
    other = await startPage(await freePort());
    hub = await Hub.start({ config: { plugins: { sms: smsInstance() }, server: { cors_origins: [ours.url] } } });
    browser = await judgePackage('playwright-core').chromium.launch({ executablePath: chromium, args: ['--no-sandbox'] });
  });
  after(async () => { await browser?.close(); await hub?.remove(); ours?.stop(); other?.stop(); });

  /** A page that notes what it should not do. */
  async function open(path) {
    const page = await browser.newPage();
    const trouble = [];
    page.on('console', (line) => { if (['error', 'warning'].includes(line.type())) trouble.push(line.text()); });
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('request', (request) => { if (!request.url().startsWith(`${hub.url}/`)) trouble.push(request.url()); });
    await page.goto(hub.url + path);
    return { page, trouble };
  }

  async function openDocs() {
    const { page, trouble } = await open('/docs');
    await page.locator('details.operation').first().waitFor();
    return { page, trouble };
  }

  test('/docs shows every operation under its own policy, with nothing from elsewhere (S6C)', async () => {
    const { page, trouble } = await openDocs();
    const { paths } = (await hub.api('GET', '/api/v1/openapi.json', undefined, { role: null })).json;
    const operations = Object.values(paths).flatMap((item) => Object.values(item));
    assert.equal(await page.locator('details.operation').count(), operations.length);
    for (const card of await page.locator('details.operation > summary').all()) await card.click();
    assert.equal(await page.locator('details.operation form').count(), operations.length, 'each can be tried');
    assert.deepEqual(trouble, []);
    await page.close();
  });

  test('/docs finds an operation by the name of a field', async () => {
    const { page } = await openDocs();
    await page.locator('#search').fill('conversation_id attributes');
    const found = await page.locator('details.operation:visible .path').allTextContents();
    assert.ok(found.includes('/api/v1/messages'), found.join(' '));
    assert.ok(!found.includes('/api/v1/users'), found.join(' '));
    await page.close();
  });

  test('/docs sends a request with the token, and leads from a refusal to its page', async () => {
    const { page, trouble } = await openDocs();
    const card = page.locator('[id="users.list"]');
    await card.locator('> summary').click();
    await card.locator('form button').click();
    await card.locator('form pre').filter({ hasText: '"code": "unauthenticated"' }).waitFor();
    await page.locator('#token').fill(await hub.token());
    await card.locator('form button').click();
    await card.locator('form pre').filter({ hasText: 'owner@example.com' }).waitFor();
    await card.locator('details.answer > summary').filter({ hasText: '401' }).click();
    await card.locator('a[href="/docs/errors/unauthenticated"]').first().click();
    await page.locator('h1', { hasText: 'unauthenticated' }).waitFor();
    assert.deepEqual(trouble.filter((line) => !line.includes('401')), []);
    await page.close();
  });

  test('the page of a one-time link runs under its own policy (S6C)', async () => {
    for (const path of ['/welcome', '/invite']) {
      const { page, trouble } = await open(path);
      await page.locator('#said', { hasText: 'Open the whole link' }).waitFor();
      assert.deepEqual(trouble, []);
      await page.close();
    }
  });

  test('a page of a listed origin reads answers and refusals, any other reads nothing (S6B)', async () => {
    const token = await hub.token();
    const read = async (origin, method = 'GET') => {
      const page = await browser.newPage();
      await page.goto(origin);
      const seen = await page.evaluate(([url, authorization, verb]) => fetch(url, { method: verb, headers: { authorization, 'idempotency-key': 'k1' }, credentials: 'include' })
        .then(async (answer) => [answer.status, answer.headers.get('x-request-id') !== null], (error) => error.name), [`${hub.url}/api/v1/auth/me`, `Bearer ${token}`, method]);
      await page.close();
      return seen;
    };
    assert.deepEqual(await read(ours.url), [200, true]);
    assert.deepEqual(await read(ours.url, 'POST'), [405, true], 'a refusal can be read too');
    assert.equal(await read(other.url), 'TypeError');
  });
});
