// Thousands of requests that the hub's own description leads to, most of them wrong: whatever comes, it is refused in words that help.
//
//   PATCHBAY_SEED=7 node --test tests/end_to_end/generated.test.mjs      the same requests again
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { descriptionOf } from './lib/description.mjs';
import { Generator } from './lib/generator.mjs';
import { Hub, smsInstance } from './lib/hub.mjs';
import { inboundFields, postHook } from './lib/twilio.mjs';

const seed = Number(process.env.PATCHBAY_SEED ?? 1);
const atOnce = 8;
const pages = new Set(fs.readdirSync(new URL('../../docs/errors', import.meta.url)).map((name) => name.replace('.md', '')));

/** What an operation must not be given in earnest: it would end the sign-in of all other cases. */
const withoutSignIn = new Set(['auth.logout']);

/** Each well-formed sign-in costs a hash that is slow on purpose: one is enough. */
function withOneSignIn(cases) {
  const isHashed = ({ operation, role, expect = {} }) => operation === 'auth.login' && role !== null && !expect.pointer && !expect.statuses && !expect.refused;
  const first = cases.find(isHashed);
  return cases.filter((one) => one === first || !isHashed(one));
}

/** One thing of each list, so that a mistake in a body is not hidden behind an unknown id. */
async function idsIn(hub, document) {
  const ids = {};
  for (const path of Object.keys(document.paths).filter((one) => !one.includes('{') && document.paths[one].get)) {
    const answer = await hub.api('GET', path);
    const item = answer.json.items?.find((one) => one.role !== 'owner' && one.instance !== 'sms');
    if (item) ids[path] = item.id ?? item.name ?? item.instance;
  }
  return ids;
}

function faultOf(answer, one) {
  const { expect = {} } = one;
  if (answer.status >= 500) return `a ${answer.status}: ${answer.body}`;
  if (expect.refused && answer.ok) return `taken: ${answer.status}`;
  if (answer.status < 400) return expect.pointer || expect.statuses ? `taken: ${answer.status}` : null;
  const { code, errors = [] } = answer.json;
  if (!pages.has(code)) return `code ${code} has no page`;
  if (expect.never?.includes(code)) return `refused as ${code}`;
  if (!one.reachable && answer.status === 404) return null;
  if (expect.statuses && !expect.statuses.includes(answer.status)) return `${answer.status} instead of ${expect.statuses}: ${answer.body}`;
  if (!expect.pointer) return null;
  const found = errors.find(({ pointer }) => pointer === expect.pointer || pointer.startsWith(`${expect.pointer}/`));
  if (!found) return `no pointer ${expect.pointer}: ${answer.body}`;
  return expect.code && found.code !== expect.code ? `${found.code} instead of ${expect.code}` : null;
}

describe('requests made from the description', () => {
  let hub;
  before(async () => {
    const config = { plugins: { sms: smsInstance({ flow: 'replies' }), replies: { plugin: 'auto_reply', config: { rules: [{ contains: 'open', reply: 'Yes' }] } } } };
    hub = await Hub.start({ config });
    await postHook(hub, '/hooks/sms/message', inboundFields({ from: '+15558675310', text: 'hello' }));
    await hub.routed();
    await hub.token('agent');
  });
  after(() => hub?.remove());

  test(`are never answered with a 5xx, always with a page and a pointer (S33; seed ${seed})`, { timeout: 1_200_000 }, async (t) => {
    const document = descriptionOf(hub.url);
    const generator = new Generator(document, { seed, ids: await idsIn(hub, document) });
    const all = [...generator.cases((path) => /^\/(api\/v1|health)\//.test(path))];
    const cases = withOneSignIn(all).filter((one) => one.role === null || !withoutSignIn.has(one.operation));
    t.diagnostic(`seed ${seed}: ${cases.length} requests`);
    assert.ok(cases.length > 1000 && cases.length < 12_000, `${cases.length} requests`);
    const faults = [];
    const queue = cases.values();
    await Promise.all(Array.from({ length: atOnce }, async () => {
      for (const one of queue) {
        const options = { role: one.role === undefined ? 'owner' : one.role, headers: one.headers, raw: one.raw };
        const fault = await hub.api(one.method, one.target, one.body, options).then((answer) => faultOf(answer, one), (error) => error.message);
        if (fault) faults.push(`${one.operation}, ${one.what}: ${one.method} ${one.target} ${String(one.raw ?? JSON.stringify(one.body) ?? '').slice(0, 200)}\n    ${fault.slice(0, 600)}`);
      }
    }));
    assert.equal(faults.length, 0, `${faults.length} of ${cases.length}, seed ${seed}:\n${faults.slice(0, 40).join('\n')}`);
    assert.equal((await hub.api('GET', '/health/ready')).status, 200);
  });
});
