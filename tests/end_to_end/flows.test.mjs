// Flows tried out over the API, and the configuration checked, against the real plugins.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Hub, smsInstance } from './lib/hub.mjs';

const replies = {
  plugin: 'auto_reply',
  config: { rules: [{ contains: 'open', reply: 'From 9 to 5' }, { equals: 'who', reply: 'You are {{ from }}' }] },
};

describe('flows and the configuration', () => {
  let hub;
  before(async () => { hub = await Hub.start({ config: { plugins: { sms: smsInstance({ flow: 'replies' }), replies } } }); });
  after(async () => { await hub?.remove(); });

  test('a flow is shown with its steps and the channels it answers', async () => {
    const { items } = (await hub.api('GET', '/api/v1/flows')).json;
    assert.deepEqual(items.map((flow) => [flow.name, flow.plugin, flow.state, flow.channels]), [['replies', 'auto_reply', 'active', ['sms']]]);
    const { json } = await hub.api('GET', '/api/v1/flows/replies', undefined, { role: 'viewer' });
    assert.deepEqual(json.steps.map((step) => step.name), ['reply']);
    assert.equal((await hub.api('GET', '/api/v1/flows/sms')).status, 404);
  });

  test('a dry run answers as the flow would, and leaves no trace', async () => {
    const tables = 'SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM contacts) + (SELECT count(*) FROM jobs) + '
      + '(SELECT count(*) FROM events) + (SELECT count(*) FROM flow_sessions) AS rows';
    const [{ rows: before }] = await hub.sql(tables);
    const ran = await hub.api('POST', '/api/v1/flows/replies/dry-run', { messages: ['Are you open?', 'who', 'nothing fits'], stay: 'active' });
    assert.equal(ran.status, 200, ran.body);
    assert.deepEqual(ran.json.steps.map((step) => [step.step, step.texts, step.actions.map((action) => action.kind)]), [
      ['reply', ['From 9 to 5'], ['send']], ['reply', ['You are +12025550100'], ['send']], ['reply', [], []],
    ]);
    assert.deepEqual(ran.json.state, {});
    assert.deepEqual(await hub.sql(tables), [{ rows: before }]);
  });

  test('the configuration is shown without secrets, and every mistake of a text is told with its place', async () => {
    const shown = await hub.api('GET', '/api/v1/config');
    assert.equal(shown.status, 200);
    assert.match(shown.json.yaml, /auth_token: "\*\*\*"/);
    assert.ok(!shown.body.includes('9f3c5a7e1b2d4860'));
    const onDisk = await hub.api('POST', '/api/v1/config/check');
    assert.equal(onDisk.json.valid, true, onDisk.body);

    const text = 'mode: development\nplugins:\n  sms:\n    plugin: twilio_sms\n    config:\n      acount_sid: AC1\n';
    const { json } = await hub.api('POST', '/api/v1/config/check', { files: { 'patchbay.yaml': text } });
    assert.equal(json.valid, false);
    const wrong = json.problems.find((one) => one.path.endsWith('acount_sid'));
    assert.deepEqual([wrong.file, wrong.line, wrong.column, wrong.severity], ['patchbay.yaml', 6, 7, 'error']);
    assert.match(wrong.message, /account_sid/);
    assert.deepEqual(json.plan, []);
  });
});
