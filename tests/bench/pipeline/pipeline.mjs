// Three figures of the whole way: how long it takes, how much goes through, and how much of a slow provider's pace is used.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';

import { until } from '../../end_to_end/lib/http.mjs';
import { Hub, smsInstance } from '../../end_to_end/lib/hub.mjs';
import { Provider } from '../../end_to_end/lib/provider.mjs';
import { inboundFields, postHook } from '../../end_to_end/lib/twilio.mjs';

const { values } = parseArgs({
  options: { rate: { type: 'string' }, seconds: { type: 'string' }, events: { type: 'string' }, 'in-flight': { type: 'string' }, 'provider-ms': { type: 'string' } },
});
const rate = Number(values.rate ?? 200);
const seconds = Number(values.seconds ?? 10);
const events = Number(values.events ?? 5000);
const inFlight = Number(values['in-flight'] ?? 500);
const providerMs = Number(values['provider-ms'] ?? 300);
const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });
const row = (name, value) => console.log(name.padEnd(46) + value);

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Seconds of CPU so far: of the hub, and of this process, which plays the callers and the provider. */
function cpu(hub) {
  const fields = fs.readFileSync(`/proc/${hub.process.pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  const { user, system } = process.cpuUsage();
  return { hub: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, driver: (user + system) / 1e6 };
}

function cpuRow(name, before, after, count) {
  const each = (seconds_) => `${((seconds_ * 1e6) / count).toFixed(0)} us`;
  row(name, `${each(after.hub - before.hub)} of the hub, ${each(after.driver - before.driver)} of this driver`);
}

async function withPlace(concurrency, work) {
  const provider = await Provider.start();
  provider.statuses = [];
  const hub = await Hub.start({
    judged: false,
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

/** As fast as 64 connections post: what goes the whole way in a second. */
async function through(hub, provider, agent) {
  const numbers = Array.from({ length: events }, (_, index) => `+1555${7_000_000 + index}`);
  const post = async () => {
    for (let from = numbers.pop(); from; from = numbers.pop()) {
      const answer = await postHook(hub, '/hooks/sms/message', inboundFields({ from, text: 'please' }), { agent });
      if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    }
  };
  const known = provider.receipts.length;
  const before = cpu(hub);
  const began = Date.now();
  await Promise.all(Array.from({ length: 64 }, post));
  const accepted = Date.now() - began;
  await until('all are answered', () => provider.receipts.length - known >= events, { seconds: 120 });
  const took = Date.now() - began;
  row('webhooks to provider calls, events/s', `${((events * 1000) / took).toFixed(0)} (accepted at ${((events * 1000) / accepted).toFixed(0)}/s)`);
  cpuRow('CPU for each', before, cpu(hub), events);
}

/** Many conversations with one message each; the best possible is `inFlight` calls under way all the time. */
async function throughput(hub, provider, agent) {
  const total = inFlight * 10;
  provider.delayMs = providerMs;
  const token = await hub.token();
  const before = cpu(hub);
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
  cpuRow('CPU for each', before, cpu(hub), total);
}

await withPlace(32, async (...place) => {
  await latency(...place);
  await through(...place);
});
await withPlace(inFlight, throughput);
process.exit(0);
