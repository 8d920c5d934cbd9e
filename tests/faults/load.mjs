// Traffic as it is: phones write, staff sends, everyone repeats what was not answered. Keeps what was acknowledged, which is
// what the hub owes from then on.
import http from 'node:http';

import { send } from '../end_to_end/lib/http.mjs';
import { authToken, encodeForm, inboundFields, newSid, signature } from '../end_to_end/lib/twilio.mjs';

/** Numbers between 0 and 1 that a seed repeats. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });

/** The flow of the hub under test answers each message with this word by its text. */
const question = 'please';
export const answerRule = { contains: question, reply: 're {{ message.text }}' };
export const answerTo = (text) => `re ${text}`;
/** S75 stops a flow at 20 answers in 10 minutes. */
const questionsPerPhone = 15;

export class Load {
  /** {sid, phone, n, text, asks}: webhooks with a 2xx, in the order of their answers. */
  webhooks = [];
  /** {id, phone, n, text}: sends with a 202. */
  sends = [];
  /** Answers that nothing explains: neither success nor "not now". */
  strange = [];
  #busy = new Set();

  /** `asking`: the share of webhooks that ask for an answer of the flow. */
  constructor({ hub, token, conversations = 500, webhooksPerSecond = 200, sendsPerSecond = 100, burst = 3, asking = 0.25, seed = 1 }) {
    Object.assign(this, { hub, token, webhooksPerSecond, sendsPerSecond, burst, asking });
    this.random = random(seed);
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    // Half of the conversations are begun by a phone, which the flow answers; half by staff, where no flow interferes.
    const phones = (first) => Array.from({ length: conversations / 2 }, (_, index) => ({ phone: `+1555${first + index}`, count: 0, asked: 0 }));
    this.writers = phones(2_000_000);
    this.receivers = phones(7_000_000);
  }

  start() {
    const began = Date.now();
    let webhooks = 0;
    let sends = 0;
    this.timer = setInterval(() => {
      const seconds = (Date.now() - began) / 1000;
      for (; webhooks < seconds * this.webhooksPerSecond; webhooks += 1) this.#task(this.writers, (person) => this.#write(person));
      for (; sends < seconds * this.sendsPerSecond; sends += this.burst) this.#task(this.receivers, (person) => this.#send(person));
    }, 10);
  }

  /** No new traffic; resolves when everything begun is acknowledged, or given up after `seconds`. */
  async stop({ seconds = 60 } = {}) {
    clearInterval(this.timer);
    this.deadline = Date.now() + seconds * 1000;
    while (this.#busy.size > 0) await wait(20);
    this.agent.destroy();
  }

  /** One task for one person at a time, so that the order of acknowledgements is the order they mean. */
  #task(people, work) {
    const person = people[Math.floor(this.random() * people.length)];
    if (this.#busy.has(person)) return;
    this.#busy.add(person);
    work(person).finally(() => this.#busy.delete(person));
  }

  async #write(person) {
    person.count += 1;
    const asks = person.asked < questionsPerPhone && this.random() < this.asking;
    if (asks) person.asked += 1;
    const sid = newSid();
    const text = `in ${person.phone} ${person.count}${asks ? ` ${question}` : ''}`;
    const fields = inboundFields({ from: person.phone, text, sid });
    const target = '/hooks/sms/message';
    const request = {
      method: 'POST', body: encodeForm(fields),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature(authToken, this.hub.publicUrl + target, fields) },
    };
    if (await this.#untilAccepted(target, request)) this.webhooks.push({ sid, phone: person.phone, n: person.count, text, asks });
  }

  async #send(person) {
    for (let count = 0; count < this.burst; count += 1) {
      person.count += 1;
      const text = `out ${person.phone} ${person.count}`;
      const request = {
        method: 'POST', body: JSON.stringify({ channel: 'sms', to: person.phone, text }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}`, 'idempotency-key': text.replaceAll(' ', '-') },
      };
      const answer = await this.#untilAccepted('/api/v1/messages', request);
      if (!answer) return;
      this.sends.push({ id: answer.json.id, phone: person.phone, n: person.count, text });
    }
  }

  /** Repeats as a client does: after no answer, 409 running, 429 and 503. Null: refused, or the time is up. */
  async #untilAccepted(target, request) {
    for (;;) {
      try {
        const answer = await send(this.hub.url, target, { ...request, agent: this.agent, timeoutMs: 10_000 });
        if (answer.ok) return answer;
        if (![409, 429, 503].includes(answer.status)) {
          this.strange.push({ target, status: answer.status, body: answer.body.slice(0, 200) });
          return null;
        }
      } catch {
        // Refused, reset or cut: the same again.
      }
      if (this.deadline && Date.now() > this.deadline) return null;
      await wait(50 + this.random() * 50);
    }
  }
}
