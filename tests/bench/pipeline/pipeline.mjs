// Two figures of the whole way, with a provider that is slow on purpose.
import http from 'node:http';
import { parseArgs } from 'node:util';

import { until } from '../../end_to_end/lib/http.mjs';
import { Hub, smsInstance } from '../../end_to_end/lib/hub.mjs';
import { Provider } from '../../end_to_end/lib/provider.mjs';
import { inboundFields, postHook } from '../../end_to_end/lib/twilio.mjs';

const { values } = parseArgs({
  options: { rate: { type: 'string' }, seconds: { type: 'string' }, 'in-flight': { type: 'string' }, 'provider-ms': { type: 'string' } },
});
const rate = Number(values.rate ?? 100);
const seconds = Number(values.seconds ?? 10);
const inFlight = Number(values['in-flight'] ?? 500);
const providerMs = Number(values['provider-ms'] ?? 300);
const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });
const row = (name, value) => console.log(name.padEnd(46) + value);

async function withPlace(concurrency, work) {
  const provider = await Provider.start();
  provider.statuses = [];
  const hub = await Hub.start({
    config: {
      log: { level: 'warn', format: 'text', file: '' },
      plugins: {
        sms: smsInstance({ apiBase: provider.url, flow: 'replies', limits: { concurrency } }),
        replies: { plugin: 'auto_reply', config: { rules: [{ contains: 'please', reply: 'coming' }] } },
      },
    },
  });
  try {
    await work(hub, provider, new http.Agent({ keepAlive: true, maxSockets: 64 }));
  } finally {
    await hub.remove();
    await provider.stop();
  }
}

/** From the moment a webhook is posted to the moment the provider has the answer of the flow. */
async function latency(hub, provider, agent) {
  const posted = new Map();
  const answers = [];
  const began = Date.now();
  const total = rate * seconds;
  for (let index = 0; index < total; index += 1) {
    await wait(Math.max(0, began + (index * 1000) / rate - Date.now()));
    const from = `+1555${5_000_000 + index}`;
    posted.set(from, Date.now());
    answers.push(postHook(hub, '/hooks/sms/message', inboundFields({ from, text: 'please' }), { agent }));
  }
  const bad = (await Promise.all(answers)).filter((answer) => answer.status !== 200).length;
  await until('all are answered', () => provider.receipts.length >= total, { seconds: 60 });
  const times = provider.receipts.map((one) => one.at.getTime() - posted.get(one.to)).sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  row(`webhook to provider at ${rate}/s: p50, p99, worst`, `${at(0.5)} ms, ${at(0.99)} ms, ${at(1)} ms`);
  row('webhooks that were not answered 200', bad);
}

/** Many conversations with one message each; the best possible is `inFlight` calls under way all the time. */
async function throughput(hub, provider, agent) {
  const total = inFlight * 10;
  provider.delayMs = providerMs;
  const token = await hub.token();
  const numbers = Array.from({ length: total }, (_, index) => `+1555${6_000_000 + index}`);
  const queue = async () => {
    for (let to = numbers.pop(); to; to = numbers.pop()) {
      const answer = await hub.api('POST', '/api/v1/messages', { channel: 'sms', to, text: 'in bulk' },
        { agent, headers: { authorization: `Bearer ${token}` } });
      if (answer.status !== 202) throw new Error(`${answer.status} ${answer.body}`);
    }
  };
  await Promise.all(Array.from({ length: 32 }, queue));
  await until('all are at the provider', () => provider.receipts.length === total, { seconds: 300 });
  // The middle of the run: neither while the queue fills nor while the last ones trickle out.
  const times = provider.receipts.map((one) => one.at.getTime());
  const [from, to] = [Math.floor(total * 0.2), Math.floor(total * 0.8)];
  const perSecond = ((to - from) * 1000) / (times[to] - times[from]);
  const best = (inFlight * 1000) / providerMs;
  row(`provider calls/s, ${inFlight} in flight at ${providerMs} ms`, `${perSecond.toFixed(0)} of ${best.toFixed(0)}: ${(perSecond / best).toFixed(2)} (at least 0.85)`);
}

await withPlace(32, latency);
await withPlace(inFlight, throughput);
process.exit(0);
