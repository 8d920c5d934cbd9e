// Reloads of a running hub while it is used, and what became of everything that was asked of it.
import fs from 'node:fs';
import http from 'node:http';

import { send, until } from './http.mjs';
import { inboundFields, newSid, postHook } from './twilio.mjs';

const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });

export const guestOf = (n) => `+1555${String(2_000_000 + (n % 200))}`;

/** Lets the hub follow its file, as `kill -HUP` does, and waits until it has. */
export async function hangUp(hub, { seconds = 30 } = {}) {
  const count = (log) => log.split('\n').filter((line) => /config: the configuration was (not )?reloaded/.test(line)).length;
  const before = count(hub.log);
  hub.process.kill('SIGHUP');
  await until('the reload has ended', () => count(hub.log) > before, { seconds });
}

/** Copies of plugin libraries that are in the hub's memory: {name: count}, and those of checks. */
export function mappedCopies(hub) {
  const copies = new Set();
  for (const line of fs.readFileSync(`/proc/${hub.process.pid}/maps`, 'utf8').split('\n')) {
    const found = line.match(/(\/\S+\.so)(?: \(deleted\))?$/);
    if (found && (found[1].startsWith(`${hub.folder}/var/plugins/`) || found[1].includes('patchbay-check-'))) copies.add(found[1]);
  }
  return [...copies];
}

export function residentBytes(hub) {
  return Number(fs.readFileSync(`/proc/${hub.process.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)[1]) * 1024;
}

/** Callers of the API, and phones that write, for as long as it runs. */
export class Use {
  /** Texts that the hub took: sends with a 202, webhooks with a 200. */
  sends = [];
  webhooks = [];
  calls = 0;
  /** Answers that were no success, and what broke: nobody explains them away. */
  failed = [];
  #running = true;

  /** Each caller sends a message and asks the plugin's own route for its status, `pauseMs` apart. */
  constructor(hub, token, { callers = 4, phones = 2, pauseMs = 10, mark = 'u' } = {}) {
    Object.assign(this, { hub, token, pauseMs, mark });
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    this.loops = [
      ...Array.from({ length: callers }, (_, index) => this.#loop((n) => this.#call(`${mark}-c${index}-${n}`, n))),
      ...Array.from({ length: phones }, (_, index) => this.#loop((n) => this.#write(`${mark}-p${index}-${n}`, n))),
    ];
  }

  async stop() {
    this.#running = false;
    await Promise.all(this.loops);
    this.agent.destroy();
  }

  async #loop(work) {
    for (let n = 1; this.#running; n += 1) {
      try {
        await work(n);
      } catch (error) {
        this.failed.push(error.message);
      }
      await wait(this.pauseMs);
    }
  }

  #expect(answer, status, what) {
    if (answer.status === status) return true;
    this.failed.push(`${what}: ${answer.status} ${answer.body}`);
    return false;
  }

  async #call(text, n) {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ channel: 'sms', to: guestOf(n), text });
    const sent = await send(this.hub.url, '/api/v1/messages', { method: 'POST', agent: this.agent, headers, body });
    this.calls += 1;
    if (!this.#expect(sent, 202, 'send')) return;
    this.sends.push(text);
    const status = await send(this.hub.url, `/api/sms/${sent.json.id}/status/`, { agent: this.agent, headers });
    this.calls += 1;
    this.#expect(status, 200, 'status');
  }

  async #write(text, n) {
    const fields = inboundFields({ from: guestOf(n), text, sid: newSid() });
    const answer = await postHook(this.hub, '/hooks/sms/message', fields, { agent: this.agent });
    this.calls += 1;
    if (this.#expect(answer, 200, 'webhook')) this.webhooks.push(text);
  }

  /** Once all is done that is owed: what was lost, and what had its effect twice. */
  async account(provider, { seconds = 60 } = {}) {
    const mark = `${this.mark}-`;
    const count = (texts) => texts.filter((text) => text?.startsWith(mark)).reduce((all, text) => all.set(text, (all.get(text) ?? 0) + 1), new Map());
    const delivered = () => count(provider.receipts.map((receipt) => receipt.body));
    await until('all sends are out', () => delivered().size >= this.sends.length, { seconds }).catch(() => {});
    await this.hub.routed({ seconds }).catch(() => {});
    const rows = await this.hub.sql(`SELECT body FROM messages WHERE direction = 'in' AND body LIKE '${mark}%'`);
    const sent = delivered();
    const received = count(rows.map((row) => row.body));
    const lost = [...this.sends.filter((text) => !sent.has(text)), ...this.webhooks.filter((text) => !received.has(text))];
    const doubled = [...sent, ...received].filter(([, times]) => times > 1).map(([text]) => text);
    return { calls: this.calls, sends: this.sends.length, webhooks: this.webhooks.length, failed: this.failed, lost, doubled };
  }
}
