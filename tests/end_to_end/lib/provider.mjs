// A small Twilio Messages API for fault tests: it keeps what it accepted, answers look-ups and sends signed callbacks, lives in
// the test's own process and so survives every kill of the hub. It can break in the ways a network breaks.
import http from 'node:http';

import { send } from './http.mjs';
import { accountSid, authToken, encodeForm, newSid, signature, statusFields } from './twilio.mjs';

const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });

const valueFor = (setting, receipt) => (typeof setting === 'function' ? setting(receipt) : setting);

export class Provider {
  /** Messages in the order in which they were accepted: {sid, to, from, body, callback, at, statuses}. */
  receipts = [];
  /** What customers sent, as `Messages.json` lists it: {sid, to, from, body, at}. No webhook is made of it. */
  inbox = [];
  /** Every request: {method, path, query, form, at, status}. */
  requests = [];
  /** Statuses that are called back after each accepted message, in this order; a list or a function of the receipt. */
  statuses = ['sent', 'delivered'];
  /** Milliseconds before an answer; a number or a function of the receipt. */
  delayMs = 0;
  /** How far the provider's clock is ahead of ours, as its answers' Date says. */
  clockAheadMs = 0;
  /** How often a callback is tried again when no answer comes; Twilio's own default is 1. */
  callbackRetries = 1;
  /** Whose account this is; a caller has to sign in with it. */
  account = { sid: accountSid, token: authToken };
  #rules = [];
  #callbacks = new Set();

  static async start() {
    const provider = new Provider();
    provider.server = http.createServer((request, response) => {
      provider.#handle(request, response).catch((error) => response.destroy(error));
    });
    provider.server.keepAliveTimeout = 60_000;
    await new Promise((resolve) => { provider.server.listen(0, '127.0.0.1', resolve); });
    provider.url = `http://127.0.0.1:${provider.server.address().port}`;
    return provider;
  }

  async stop() {
    this.stopped = true;
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }

  /**
   * For the next `times` sends: {status, body, headers} answers without accepting; drop 'before' closes the connection without accepting,
   * drop 'after' accepts and loses the answer; raw(socket) answers by itself, without accepting; delayMs; sid; callbackFirst: the callbacks come before the answer;
   * statuses replaces the callbacks.
   */
  rule(rule) { this.#rules.push({ times: 1, ...rule }); }

  /** Everything works again. */
  forgetRules() { this.#rules = []; }

  /** Resolves when no callback is under way. */
  async calledBack() { while (this.#callbacks.size > 0) await Promise.allSettled([...this.#callbacks]); }

  /** Keeps a customer's message that no webhook told of. */
  hold({ from, to, text, sid = newSid(), at = new Date() }) {
    this.inbox.push({ sid, to, from, body: text, at, direction: 'inbound', status: 'received' });
    return sid;
  }

  /** Sends one signed status callback; the answer, or null when none came. */
  async callBack(receipt, status, more = {}) {
    const { origin } = new URL(receipt.callback);
    const target = receipt.callback.slice(origin.length);
    const fields = statusFields({ sid: receipt.sid, status, to: receipt.to, from: receipt.from, account: this.account.sid, ...more });
    const headers = {
      'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature(this.account.token, receipt.callback, fields),
    };
    for (let tries = 0; tries <= this.callbackRetries && !this.stopped; tries += 1) {
      try {
        const answer = await send(origin, target, { method: 'POST', body: encodeForm(fields), headers, timeoutMs: 15_000 });
        if (answer.ok) receipt.statuses.push(status);
        if (answer.status !== 503) return answer;
      } catch {
        // As Twilio: only a call that found nobody is repeated.
      }
      await wait(Math.min(50 * 2 ** tries, 1000));
    }
    return null;
  }

  async #handle(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { pathname, searchParams } = new URL(request.url, this.url);
    const form = new URLSearchParams(Buffer.concat(parts).toString('utf8'));
    const entry = { method: request.method, path: pathname, query: searchParams, form, at: Date.now() };
    this.requests.push(entry);
    const answer = (status, body, headers = {}) => {
      entry.status = status;
      response.writeHead(status, { 'content-type': 'application/json', date: new Date(Date.now() + this.clockAheadMs).toUTCString(), ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const expected = `Basic ${Buffer.from(`${this.account.sid}:${this.account.token}`).toString('base64')}`;
    if (request.headers.authorization !== expected) return answer(401, { code: 20003, message: 'Authenticate', status: 401 });
    const messages = `/2010-04-01/Accounts/${this.account.sid}/Messages`;
    if (request.method === 'GET' && pathname === `${messages}.json`) return answer(200, this.#list(searchParams));
    if (request.method === 'GET' && pathname.startsWith(`${messages}/`)) {
      const found = this.receipts.find((one) => `${messages}/${one.sid}.json` === pathname);
      return found ? answer(200, this.#shown(found)) : answer(404, { code: 20404, message: 'not found', status: 404 });
    }
    if (request.method === 'POST' && pathname === `${messages}.json`) return this.#accept(form, answer, request.socket);
    return answer(404, { code: 20404, message: `no ${request.method} ${pathname}`, status: 404 });
  }

  async #accept(form, answer, socket) {
    const rule = this.#takeRule();
    if (rule.drop === 'before') return socket.destroy();
    if (rule.raw) return rule.raw(socket);
    if (rule.status) return answer(rule.status, rule.body ?? { code: 20500, message: 'as the test wished', status: rule.status }, rule.headers);
    const receipt = {
      sid: rule.sid ?? newSid(), to: form.get('To'), from: form.get('From') ?? form.get('MessagingServiceSid'), body: form.get('Body'),
      callback: form.get('StatusCallback'), at: new Date(), statuses: [],
    };
    this.receipts.push(receipt);
    const statuses = rule.statuses ?? valueFor(this.statuses, receipt);
    if (rule.callbackFirst) await this.#callBackAll(receipt, statuses);
    const delay = rule.delayMs ?? valueFor(this.delayMs, receipt);
    if (delay > 0) await wait(delay);
    if (rule.drop === 'after') socket.destroy();
    else answer(201, this.#shown(receipt));
    if (!rule.callbackFirst && receipt.callback) {
      const work = this.#callBackAll(receipt, statuses);
      this.#callbacks.add(work);
      work.finally(() => this.#callbacks.delete(work));
    }
  }

  #takeRule() {
    const [rule] = this.#rules;
    if (!rule) return {};
    rule.times -= 1;
    if (rule.times <= 0) this.#rules.shift();
    return rule;
  }

  async #callBackAll(receipt, statuses) {
    for (const status of statuses) await this.callBack(receipt, status);
  }

  #shown(receipt) {
    return {
      sid: receipt.sid, account_sid: this.account.sid, to: receipt.to, from: receipt.from, body: receipt.body, status: receipt.status ?? 'queued',
      direction: receipt.direction ?? 'outbound-api', num_segments: '1', num_media: '0', error_code: null, error_message: null, price: null,
      messaging_service_sid: null, api_version: '2010-04-01', date_created: receipt.at.toUTCString().replace('GMT', '+0000'),
      date_sent: receipt.at.toUTCString().replace('GMT', '+0000'), date_updated: receipt.at.toUTCString().replace('GMT', '+0000'),
      uri: `/2010-04-01/Accounts/${this.account.sid}/Messages/${receipt.sid}.json`,
    };
  }

  /** Newest first, as Twilio; `DateSent>=` is a day or a time. */
  #list(query) {
    const since = query.get('DateSent>') ?? query.get('DateSent');
    const found = [...this.receipts, ...this.inbox].sort((a, b) => a.at - b.at).filter((one) => (!query.get('To') || one.to === query.get('To'))
      && (!query.get('From') || one.from === query.get('From')) && (!since || one.at >= new Date(since)));
    const size = Math.min(Number(query.get('PageSize') ?? 50), 1000);
    const page = Number(query.get('Page') ?? 0);
    const more = found.length > (page + 1) * size;
    const next = new URLSearchParams({ ...Object.fromEntries(query), Page: String(page + 1) });
    return {
      messages: found.reverse().slice(page * size, (page + 1) * size).map((one) => this.#shown(one)),
      next_page_uri: more ? `/2010-04-01/Accounts/${this.account.sid}/Messages.json?${next}` : null, page, page_size: size,
    };
  }
}
