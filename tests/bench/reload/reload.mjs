// See run.
import { Hub, smsInstance } from '../../end_to_end/lib/hub.mjs';
import { Provider } from '../../end_to_end/lib/provider.mjs';
import { Use, hangUp, mappedCopies, residentBytes } from '../../end_to_end/lib/reloading.mjs';

const reloads = Number(process.argv[2]);
const instances = 2;
const calm = 128 * 1024;

const provider = await Provider.start();
provider.statuses = [];
const hub = await Hub.start({
  judged: false,
  config: {
    log: { level: 'warn', format: 'text', file: '' },
    plugins: {
      sms: smsInstance({ apiBase: provider.url, flow: 'replies' }),
      replies: { plugin: 'auto_reply', config: { rules: [{ equals: 'nobody says this', reply: 'x' }] } },
    },
  },
});
const wait = (ms) => new Promise((go) => { setTimeout(go, ms); });

async function revision() {
  return (await hub.api('GET', '/api/v1/config')).json.revision;
}

/** Changes a plain key of one instance and one of the other, so that both are replaced. */
async function reloadTimes(count, from) {
  let next = await revision();
  for (let n = 1; n <= count; n += 1) {
    hub.config.plugins.sms.config.number_aliases = [`+1415555${2000 + ((from + n) % 7000)}`];
    hub.config.plugins.replies.limits = { files: 64 + ((from + n) % 100) };
    hub.writeConfig();
    hub.process.kill('SIGHUP');
    next += 1;
    for (const end = Date.now() + 30_000; await revision() !== next;) {
      if (Date.now() > end) throw new Error(`reload ${n} did not come: ${hub.log.slice(-2000)}`);
      await wait(5);
    }
  }
}

const pair = async () => (await hub.list('/api/v1/plugins')).map((one) => `${one.instance}: generation ${one.generation}, ${one.resident} old copies`);

/** Runs `work` under use and gives what it took and what became of all. */
async function during(mark, work, { pauseMs = 20 } = {}) {
  const use = new Use(hub, await hub.token(), { mark, pauseMs });
  const began = Date.now();
  await work();
  const seconds = (Date.now() - began) / 1000;
  await use.stop();
  const account = await use.account(provider, { seconds: 120 });
  return { seconds, ...account, resident: residentBytes(hub) };
}

try {
  await during('first', () => reloadTimes(40, 0));
  // What the hub grows by with use, above all SQLite's caches, is not the reloads': until it grows no more.
  let before;
  let still;
  let rounds = 0;
  do {
    before = residentBytes(hub);
    still = await during(`warm${rounds}`, () => wait(10_000), { pauseMs: 5 });
    rounds += 1;
  } while (still.resident - before > calm && rounds < 30);
  const after = await during('use', () => reloadTimes(reloads, 40));
  const copies = mappedCopies(hub);
  const kB = (bytes) => `${Math.round(bytes / 1024)} kB`;
  console.log(`reloads          ${reloads} in ${after.seconds.toFixed(1)} s, each replaces ${instances} instances`);
  console.log(`calls            ${after.calls}: ${after.sends} sends, ${after.webhooks} webhooks, as many look-ups as sends; ${after.failed.length} failed`);
  console.log(`lost, doubled    ${after.lost.length}, ${after.doubled.length}`);
  console.log(`instances        ${(await pair()).join('; ')}`);
  console.log(`mapped copies    ${copies.length}`);
  console.log(`resident memory  ${kB(before)} after ${rounds} times 10 s of use, ${kB(still.resident - before)} of them in the last; ${kB(after.resident - still.resident)} more after the reloads`);
  for (const failure of after.failed.slice(0, 5)) console.log(`  ${failure}`);
  if (after.failed.length + after.lost.length + after.doubled.length > 0 || copies.length !== instances) process.exitCode = 1;
} finally {
  await hub.remove();
  await provider.stop();
}
