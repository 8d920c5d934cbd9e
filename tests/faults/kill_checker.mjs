// F01 and F02: kills the real hub under load, at random times and inside every named step, and then compares what clients got
// acknowledged, what the provider received, and what the database holds. Usage: tests/faults/run
import { parseArgs } from 'node:util';

import { Hub, smsInstance } from '../end_to_end/lib/hub.mjs';
import { Provider } from '../end_to_end/lib/provider.mjs';
import { answerRule, Load, random } from './load.mjs';
import { drain, judge } from './verdict.mjs';

const { values: options } = parseArgs({
  options: { full: { type: 'boolean' }, seed: { type: 'string' }, kills: { type: 'string' }, control: { type: 'string' }, 'no-failpoints': { type: 'boolean' } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000);
const kills = Number(options.kills ?? (options.full ? 200 : 12));
const chance = random(seed);
const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });
/** G10, F01. Sanitizers and busy machines may be given more. */
const readyWithinSeconds = Number(process.env.PATCHBAY_READY_SECONDS ?? 5);

async function startPlace() {
  const provider = await Provider.start();
  provider.delayMs = () => 2 + chance() * 30;
  // One in three is called back; the outcome of the others can only be looked up. Callbacks outlast a restart.
  provider.statuses = (receipt) => (receipt.sid.charCodeAt(33) % 3 === 0 ? ['sent', 'delivered'] : []);
  provider.callbackRetries = 40;
  const hub = await Hub.start({
    judged: false,
    env: options.control ? { PATCHBAY_NEGATIVE_CONTROL: options.control } : {},
    config: {
      log: { level: 'warn', format: 'text', file: '' },
      plugins: {
        sms: smsInstance({ apiBase: provider.url, flow: 'replies', limits: { concurrency: 16 } }),
        replies: { plugin: 'auto_reply', config: { rules: [answerRule] } },
      },
    },
  });
  return { hub, provider };
}

/** F01: SIGKILL every 0.2 to 3 s. */
async function killAtRandom(hub, recoveries) {
  for (let count = 0; count < kills; count += 1) {
    await wait(200 + chance() * (options.full ? 2800 : 1300));
    await hub.kill();
    recoveries.push(await hub.launch());
  }
}

/** Steps of work that this load does not do: the test named here kills in them. */
const killedElsewhere = new Map([['delivery.after_bulk_slice', 'tests/end_to_end/bulk.test.mjs']]);

/** F02: a process for each named step, which ends itself there. Returns the steps that this load never came to. */
async function killInEveryStep(hub, recoveries) {
  const { stdout } = await hub.cli(['failpoints']);
  const names = stdout.split('\n').map((line) => line.trim()).filter((line) => /^[a-z_.]+$/.test(line) && !killedElsewhere.has(line));
  const unreached = [];
  for (const name of names) {
    await hub.kill();
    let ended = false;
    // A step of the start may end the process before it is ready.
    await hub.launch({ env: { PATCHBAY_FAILPOINT: `${name}:${1 + Math.floor(chance() * 20)}` } }).catch(() => {});
    hub.exited.then(() => { ended = true; });
    for (let waited = 0; waited < 8000 && !ended; waited += 50) await wait(50);
    if (!ended) unreached.push(name);
    await hub.kill();
    recoveries.push(await hub.launch());
  }
  return { names, unreached };
}

function print(rows) {
  for (const [name, value] of rows) console.log(`  ${name.padEnd(22)} ${value}`);
}

const { hub, provider } = await startPlace();
let failed = false;
try {
  const load = new Load({ hub, token: await hub.token('owner'), asking: options.full ? 0.05 : 0.25, seed });
  const recoveries = [];
  load.start();
  await wait(1000);
  await killAtRandom(hub, recoveries);
  const steps = options['no-failpoints'] ? { names: [], unreached: [] } : await killInEveryStep(hub, recoveries);
  while (load.webhooks.length + load.sends.length < 2000) await wait(100);
  await load.stop();
  const drainBegan = Date.now();
  const drained = await drain(hub, { seconds: options.full ? 600 : 120 });
  const drainSeconds = (Date.now() - drainBegan) / 1000;
  const verdict = await judge({ hub, provider, load });
  const slowest = Math.max(...recoveries) / 1000;
  console.log(`kill -9 checker (F01, F02), seed ${seed}${options.control ? `, negative control ${options.control}` : ''}`);
  print([
    ['kills', `${kills} at random, ${steps.names.length - steps.unreached.length} of ${steps.names.length} named steps`],
    ['acknowledged', `${verdict.acked} (${load.webhooks.length} webhooks, ${load.sends.length} sends)`],
    ['effects', verdict.effects],
    ...Object.entries(verdict.counts),
    ['unresolved', verdict.unknown],
    ['slowest recovery', `${slowest.toFixed(2)} s of ${readyWithinSeconds} s allowed`],
    ['drained', drained ? `after ${drainSeconds.toFixed(1)} s` : 'not in time'],
    ['invariants', verdict.broken.length ? verdict.broken.join('; ') : 'hold'],
    ['odd answers', load.strange.length],
  ]);
  if (steps.unreached.length) console.log(`  steps this load did not reach: ${steps.unreached.join(' ')}`);
  for (const example of verdict.examples) console.log(`  ${example}`);
  for (const answer of load.strange.slice(0, 5)) console.log(`  odd: ${JSON.stringify(answer)}`);
  failed = !verdict.clean || !drained || steps.unreached.length > 0 || load.strange.length > 0 || slowest > readyWithinSeconds;
  if (options.control) {
    const [wanted] = { no_unknown: ['duplicated'], no_lanes: ['reordered'] }[options.control];
    failed = verdict.counts[wanted] === 0;
    console.log(failed ? `  the checker did not notice: no message was ${wanted}` : `  noticed, as it has to be: ${wanted}`);
  }
  if (failed && !process.env.PATCHBAY_KEEP) console.log(hub.log.split('\n').slice(-20).join('\n'));
} finally {
  await hub.remove();
  await provider.stop();
}
process.exit(failed ? 1 : 0);
