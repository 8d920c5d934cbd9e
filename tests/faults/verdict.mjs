// Compares three logs: what clients got acknowledged, what the provider received, what the database holds (guarantees section 11).
import { until } from '../end_to_end/lib/http.mjs';
import { answerTo } from './load.mjs';

/** Each must find no row (guarantees section 6). */
const invariants = {
  'a waiting job whose lane has no active job': `SELECT id FROM jobs AS j WHERE state = 'waiting' AND NOT EXISTS
    (SELECT 1 FROM jobs WHERE lane = j.lane AND state IN ('ready','running','unknown'))`,
  'a lane with two active jobs': `SELECT lane FROM jobs WHERE lane IS NOT NULL AND state IN ('ready','running','unknown')
    GROUP BY lane HAVING count(*) > 1`,
  'a running job without a lease': `SELECT id FROM jobs WHERE state = 'running' AND lease_until IS NULL`,
  'a gap or repeat in (conversation, seq)': `SELECT conversation_id FROM messages GROUP BY conversation_id
    HAVING count(*) <> max(seq) OR count(DISTINCT seq) <> count(*)`,
  'a sent message without an accepted attempt': `SELECT m.id FROM messages AS m WHERE m.direction = 'out' AND m.rank >= 30 AND m.rank <> 45
    AND m.provider_id IS NULL`,
};

/** Waits until nothing is owed any more; true when that came about. */
export async function drain(hub, { seconds }) {
  try {
    await until('nothing is owed', async () => {
      const [{ owed }] = await hub.sql(`SELECT (SELECT count(*) FROM ingress WHERE state = 'received')
        + (SELECT count(*) FROM jobs WHERE state IN ('waiting','ready','running','unknown')) AS owed`);
      return owed === 0;
    }, { seconds, everyMs: 200 });
    return true;
  } catch {
    return false;
  }
}

function countBy(items, keyOf) {
  const counts = new Map();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

/** How often an element comes before one that it should follow, conversation by conversation. */
function disorder(items) {
  const last = new Map();
  let breaks = 0;
  for (const { phone, n } of items) {
    if (n < (last.get(phone) ?? 0)) breaks += 1;
    last.set(phone, n);
  }
  return breaks;
}

const numbered = (text) => {
  const [, phone, n] = text.match(/^(?:in|out|re in) (\+\d+) (\d+)/);
  return { phone, n: Number(n) };
};

function firstOfEach(items, keyOf) {
  const seen = new Set();
  return items.filter((item) => !seen.has(keyOf(item)) && seen.add(keyOf(item)));
}

/** What became of acknowledged sends at the provider. */
function judgeSends(load, receipts, messages, verdict) {
  const sent = receipts.filter((one) => one.body.startsWith('out '));
  const received = countBy(sent, (one) => one.body);
  const stored = countBy(messages.filter((one) => one.direction === 'out'), (one) => one.body);
  for (const { text } of load.sends) {
    if (!received.has(text)) verdict.note('lost', `send not at the provider: ${text}`);
    if ((stored.get(text) ?? 0) === 0) verdict.note('lost', `send not stored: ${text}`);
  }
  for (const [text, times] of received) if (times > 1) verdict.note('duplicated', `${times} times at the provider: ${text}`);
  for (const [text, times] of stored) if (text.startsWith('out ') && times > 1) verdict.note('duplicated', `${times} rows: ${text}`);
  verdict.add('reordered', disorder(firstOfEach(sent, (one) => one.body).map((one) => numbered(one.body))), 'sends at the provider');
}

/** What became of acknowledged webhooks: one message each, in order, and one answer of the flow to each that asked. */
function judgeWebhooks(load, receipts, messages, verdict) {
  const inbound = messages.filter((one) => one.direction === 'in');
  const stored = countBy(inbound, (one) => one.provider_id);
  for (const { sid, text } of load.webhooks) if (!stored.has(sid)) verdict.note('lost', `webhook without a message: ${text}`);
  for (const [sid, times] of stored) if (times > 1) verdict.note('duplicated', `${times} messages of ${sid}`);
  verdict.add('reordered', disorder(inbound.map((one) => numbered(one.body))), 'messages in their conversations');
  const answers = receipts.filter((one) => one.body.startsWith('re '));
  const answered = countBy(answers, (one) => one.body);
  for (const { text, asks } of load.webhooks) if (asks && !answered.has(answerTo(text))) verdict.note('lost', `not answered: ${text}`);
  for (const [text, times] of answered) if (times > 1) verdict.note('duplicated', `${times} times at the provider: ${text}`);
  verdict.add('reordered', disorder(firstOfEach(answers, (one) => one.body).map((one) => numbered(one.body))), 'answers of the flow');
}

/** No message stands below what was reported of it, be that in our events or in callbacks that we acknowledged. */
async function judgeStatuses(hub, receipts, messages, verdict) {
  for (const { id } of await hub.sql(`SELECT m.id FROM messages AS m JOIN
    (SELECT message_id, max(rank) AS best FROM message_events WHERE message_id IS NOT NULL GROUP BY message_id) AS e
    ON e.message_id = m.id WHERE m.rank < e.best`)) verdict.note('regressed', `message ${id} is below its events`);
  const byProvider = new Map(messages.filter((one) => one.direction === 'out').map((one) => [one.provider_id, one]));
  for (const receipt of receipts) {
    if (!receipt.statuses.includes('delivered')) continue;
    const { status } = byProvider.get(receipt.sid) ?? { status: 'not linked' };
    if (!['delivered', 'read'].includes(status)) verdict.note('regressed', `${receipt.sid} was delivered, the hub says ${status}`);
  }
}

export class Verdict {
  counts = { lost: 0, duplicated: 0, reordered: 0, regressed: 0 };
  examples = [];

  add(what, count, why) {
    this.counts[what] += count;
    if (count > 0 && this.examples.length < 20) this.examples.push(`${what}: ${why}`);
  }

  note(what, why) { this.add(what, 1, why); }

  get clean() { return Object.values(this.counts).every((count) => count === 0) && this.broken.length === 0 && this.unknown === 0; }
}

/** `load` has stopped and the hub is drained. */
export async function judge({ hub, provider, load }) {
  const verdict = new Verdict();
  await provider.calledBack();
  await hub.routed();
  const messages = await hub.sql('SELECT id, conversation_id, seq, direction, body, provider_id, status, rank FROM messages ORDER BY conversation_id, seq');
  judgeSends(load, provider.receipts, messages, verdict);
  judgeWebhooks(load, provider.receipts, messages, verdict);
  await judgeStatuses(hub, provider.receipts, messages, verdict);
  verdict.acked = load.webhooks.length + load.sends.length;
  verdict.effects = messages.filter((one) => one.direction === 'in').length + provider.receipts.length;
  [{ count: verdict.unknown }] = await hub.sql("SELECT count(*) AS count FROM jobs WHERE state IN ('unknown','dead')");
  verdict.broken = [];
  for (const [what, query] of Object.entries(invariants)) {
    if ((await hub.sql(query)).length > 0) verdict.broken.push(what);
  }
  const [{ integrity_check: integrity }] = await hub.sql('PRAGMA integrity_check');
  if (integrity !== 'ok') verdict.broken.push(`integrity check: ${integrity}`);
  return verdict;
}
