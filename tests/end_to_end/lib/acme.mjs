// The provider of examples/acme_sms, which exists only here, and what goes through a hub to it and back.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';

import { send, until } from './http.mjs';

export const guest = '+15558675310';
export const own = '+15005550006';
export const formType = { 'content-type': 'application/x-www-form-urlencoded' };

/** Takes forms and answers each with the next id. */
export class Acme {
  /** {path, form, authorization} */
  calls = [];

  static async start() {
    const acme = new Acme();
    acme.server = http.createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        const form = new URLSearchParams(Buffer.concat(parts).toString('utf8'));
        acme.calls.push({ path: request.url, form, authorization: request.headers.authorization });
        response.writeHead(201).end(`id=p-${acme.calls.length}`);
      });
    });
    await new Promise((resolve) => { acme.server.listen(0, '127.0.0.1', resolve); });
    acme.url = `http://127.0.0.1:${acme.server.address().port}`;
    return acme;
  }

  sends() { return this.calls.filter((call) => call.path === '/v1/messages'); }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}

/** An instance of acme_sms, or of the same source under another name, for `plugins`. */
export const acmeInstance = (plugin, apiBase, isolation = 'none') => ({
  plugin, isolation, config: { api_key: `${plugin} api key`, signing_key: `${plugin} signing key`, from: own, api_base: apiBase },
});

/** Sends a text through the instance, and sees Acme get it. */
export async function sendThrough(hub, acme, instance, plugin, text) {
  const answer = await hub.api('POST', '/api/v1/messages', { channel: instance, to: guest, text });
  assert.equal(answer.status, 202, answer.body);
  await until(`${instance} has sent it`, async () => (await hub.api('GET', `/api/v1/messages/${answer.json.id}`)).json.status === 'accepted');
  const [call, ...more] = acme.sends().filter((one) => one.form.get('reference') === answer.json.id);
  assert.deepEqual(more, []);
  assert.equal(call.authorization, `Bearer ${plugin} api key`);
  assert.deepEqual([call.form.get('to'), call.form.get('from'), call.form.get('text')], [guest, own, text]);
  assert.equal(call.form.get('status_url'), `${hub.publicUrl}/hooks/${instance}/status`);
}

/** A signed message of a customer becomes a message of the hub; with another body it is turned away. */
export async function receiveThrough(hub, instance, plugin, id) {
  const body = new URLSearchParams({ id, from: guest, to: own, text: `hello ${id}` }).toString();
  const signature = crypto.createHmac('sha256', `${plugin} signing key`).update(body).digest('hex');
  const post = (content) => send(hub.url, `/hooks/${instance}/message`, { method: 'POST', body: content, headers: { ...formType, 'x-acme-signature': signature } });
  assert.equal((await post(body)).status, 200);
  assert.equal((await post(`${body}0`)).status, 401);
  await hub.routed();
  const messages = await hub.list('/api/v1/messages?direction=in');
  assert.ok(messages.some((one) => one.text === `hello ${id}` && one.provider_id === id), JSON.stringify(messages));
}
