// Ten thousand listeners: memory, time until all have heard, and one that never reads.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';

import { until } from '../../end_to_end/lib/http.mjs';
import { Hub, smsInstance } from '../../end_to_end/lib/hub.mjs';
import { build } from '../../end_to_end/lib/places.mjs';
import { inboundFields, postHook } from '../../end_to_end/lib/twilio.mjs';

const { values } = parseArgs({ options: { sockets: { type: 'string' }, users: { type: 'string' }, rounds: { type: 'string' } } });
const sockets = Number(values.sockets ?? 10_000);
const users = Number(values.users ?? 100);
const rounds = Number(values.rounds ?? 30);
const row = (name, value) => console.log(name.padEnd(58) + value);

/** The child that holds the sockets. */
function startListeners(port) {
  const child = spawn(path.join(build, 'bin/bench_listeners'), [String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(...words) {
      child.stdin.write(`${words.join(' ')}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`the listeners ended at: ${words[0]}`);
      return JSON.parse(value);
    },
    stop: () => child.kill(),
  };
}

const memory = (hub) => Number(fs.readFileSync(`/proc/${hub.process.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

async function tokensOf(hub, count) {
  const tokens = [];
  for (let i = 0; i < count; ++i) {
    const email = `listener${i}@example.com`;
    await hub.api('POST', '/api/v1/users', { email, name: `Listener ${i}`, role: 'agent', departments: ['Reception'] });
    tokens.push((await hub.cli(['token', '--email', email])).stdout.match(/[\w-]+\.[\w-]+\.[\w-]+/)[0]);
  }
  const file = path.join(hub.folder, 'tokens');
  fs.writeFileSync(file, tokens.join('\n'));
  return file;
}

const [quietGuest, loudGuest] = ['+15558675310', '+15558675311'];
const floodBytes = 6_000_000;  // More than the kernel and the hub hold for one reader.

/** The number of the conversation with `from`. */
async function conversationOf(hub, from) {
  await postHook(hub, '/hooks/sms/message', inboundFields({ from, text: 'Hello' }));
  await hub.routed();
  return (await hub.list('/api/v1/conversations')).find((one) => one.contact.address.value === from).number;
}

/** Large messages into the other conversation until stopped; `sent` counts them, `enough` says that it was more than one reader may owe. */
function flood(hub) {
  const state = { sent: 0, isOver: false, get enough() { return this.sent * 1500 > floodBytes; } };
  state.done = (async () => {
    while (!state.isOver) {
      await postHook(hub, '/hooks/sms/message', inboundFields({ from: loudGuest, text: `${state.sent} ${'x'.repeat(1500)}` }));
      state.sent += 1;
      await new Promise((go) => { setTimeout(go, 5); });
    }
  })();
  return state;
}

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function broadcasts(listeners, conversation, enough) {
  const all = [];
  while (!enough(all.length)) {
    all.push(await listeners.ask('typing', conversation));
    await new Promise((go) => { setTimeout(go, 100); });
  }
  return { p50: median(all.map((one) => one.p50)), p99: median(all.map((one) => one.p99)), last: median(all.map((one) => one.last)) };
}

const shown = ({ p50, p99, last }) => `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, the last ${last.toFixed(0)} ms`;

async function main() {
  const hub = await Hub.start({
    config: {
      log: { level: 'warn', format: 'text', file: '' }, departments: ['Reception'], plugins: { sms: smsInstance() },
      server: { limits: { connections: sockets + 1000 } },
    },
  });
  const listeners = startListeners(hub.port);
  try {
    const tokens = await tokensOf(hub, users);
    const quiet = await conversationOf(hub, quietGuest);
    const loud = await conversationOf(hub, loudGuest);
    await listeners.ask('open', users, `conversation:${quiet}`, tokens);  // What the first ones cost is not each one's.
    await listeners.ask('typing', quiet);
    const before = memory(hub);
    await listeners.ask('open', sockets - users, `conversation:${quiet}`, tokens);
    const after = memory(hub);
    await listeners.ask('typing', quiet);
    row(`${sockets} sockets of ${users} users: memory of the hub`, `${(before / 1024).toFixed(0)} MiB before, ${(after / 1024).toFixed(0)} MiB with them`);
    row('each (to reach: 4 kB)', `${((after - before) * 1.024 / (sockets - users)).toFixed(2)} kB`);
    row('after an event to all of them', `${((memory(hub) - before) * 1.024 / (sockets - users)).toFixed(2)} kB`);
    row('until all have heard an event', shown(await broadcasts(listeners, quiet, (count) => count >= rounds)));

    const reading = flood(hub);
    const undisturbed = await broadcasts(listeners, quiet, (count) => count >= rounds && reading.enough);
    reading.isOver = true;
    await reading.done;
    row(`while another conversation gets ${reading.sent} large messages`, shown(undisturbed));

    await listeners.ask('stall', `conversation:${loud}`, tokens);
    const unread = flood(hub);
    const disturbed = await broadcasts(listeners, quiet, (count) => count >= rounds && unread.enough);
    unread.isOver = true;
    await unread.done;
    const cut = await listeners.ask('drain');
    row(`while one listener does not read ${unread.sent} of them`, shown(disturbed));
    row('ratio of the p99 (to stay near 1)', (disturbed.p99 / undisturbed.p99).toFixed(2));
    row('what it finds when it reads at last', `${(cut.bytes / 1e6).toFixed(1)} MB, then ${cut.code ? `close ${cut.code}` : 'the end'}`);
    row('memory of the hub then', `${(memory(hub) / 1024).toFixed(0)} MiB`);
    await until('the hub is ready', () => hub.api('GET', '/health/ready').then((answer) => answer.status === 200));
  } finally {
    listeners.stop();
    await hub.remove();
  }
}

await main();
