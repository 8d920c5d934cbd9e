// Secrets in the configuration (S80), and `config schema`: what an editor makes of it, judged by ajv.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { Hub, smsInstance } from './lib/hub.mjs';
import { binary, judgePackage, root } from './lib/places.mjs';
import { authToken } from './lib/twilio.mjs';

const wrong = path.join(root, 'tests/config/wrong');
const file = (name) => fs.readFileSync(path.join(root, name), 'utf8');

test('a secret in the file: serve says so, and does not start with strict: true (S80)', async (t) => {
  const hub = await Hub.start({ config: { plugins: { sms: smsInstance() } } });
  t.after(() => hub.remove());
  assert.match(hub.log, /warn.*config\.auth_token: a secret stands in the file/);
  assert.ok(!hub.log.includes(authToken));
  await hub.stop();
  hub.config.strict = true;
  hub.writeConfig();
  const { code, stderr } = await hub.cli(['serve']);
  assert.equal(code, 1);
  assert.match(stderr, /:\d+:\d+: plugins\.sms\.config\.auth_token: a secret must not stand in the file/);
  assert.ok(!stderr.includes(authToken));
});

describe('the JSON Schema of the configuration', () => {
  const Ajv = judgePackage('ajv').default ?? judgePackage('ajv');
  const YAML = judgePackage('yaml');
  let schema;
  let validate;
  before(async () => {
    const { stdout } = await promisify(execFile)(binary, ['config', 'schema', '-c', path.join(root, 'config/patchbay.yaml')]);
    schema = JSON.parse(stdout);
    validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  });
  const problems = (text) => (validate(YAML.parse(text)) ? '' : JSON.stringify(validate.errors, null, 1));

  const samples = fs.readdirSync(path.join(root, 'plugins'), { recursive: true }).filter((name) => path.basename(name) === 'sample.yaml');
  for (const name of ['config/patchbay.yaml', 'config/production.yaml', ...samples.map((one) => `plugins/${one}`)]) {
    test(`takes ${name}, whose first line leads an editor to the schema that is kept`, () => {
      assert.equal(problems(file(name)), '');
      const [, place] = file(name).match(/^# yaml-language-server: \$schema=(\S+)\n/);
      assert.equal(path.join(root, path.dirname(name), place), path.join(root, 'config/schema/patchbay.schema.json'));
    });
  }

  test('is kept for editors: every shipped plugin with the keys it has now', () => {
    const shipped = samples.map((one) => path.basename(path.dirname(one))).sort();
    const kept = JSON.parse(file('config/schema/patchbay.schema.json'));
    const now = structuredClone(schema);
    const instance = now.properties.plugins.additionalProperties;
    instance.properties.plugin.enum = instance.properties.plugin.enum.filter((name) => shipped.includes(name));
    instance.allOf = instance.allOf.filter((rule) => shipped.includes(rule.if.properties.plugin.const));
    assert.deepEqual(instance.properties.plugin.enum, shipped);
    assert.deepEqual(kept, now, 'config/schema/patchbay.schema.json: `patchbay config schema` of an installed hub writes it anew');
  });

  test('refuses what is wrong in each sample: a key, a type, a missing key', () => {
    for (const name of samples.map((one) => `plugins/${one}`)) {
      const plugin = path.basename(path.dirname(name));
      const changed = (change) => {
        const config = YAML.parse(file(name));
        for (const instance of Object.values(config.plugins)) if (instance.plugin === plugin) change(instance);
        return problems(YAML.stringify(config));
      };
      assert.equal(changed(() => {}), '', name);
      assert.match(changed((one) => { one.config.no_such_key = 'x'; }), /additionalProperties/, name);
      assert.match(changed((one) => { one.config = ['a list']; }), /"type"/, name);
      assert.match(changed((one) => { one.enabled = 'perhaps'; }), /enabled/, name);
      assert.match(changed((one) => { delete one.plugin; }), /required/, name);
    }
  });

  test('refuses every unknown key of the corpus', () => {
    for (const name of fs.readdirSync(wrong).filter((one) => /^unknown_key.*\.yaml$/.test(one))) {
      assert.match(problems(fs.readFileSync(path.join(wrong, name), 'utf8')), /additionalProperties/, name);
    }
  });

  test('knows choices, durations, ranges, required keys and plugins', () => {
    for (const name of ['wrong_type_choice', 'duration_without_a_unit', 'range_number_too_small', 'range_negative', 'missing_plugin', 'missing_plugin_key',
      'missing_plugin_block', 'missing_reply_of_a_rule', 'unknown_plugin_near', 'wrong_type_plugin_text_for_a_list', 'range_plugin_number']) {
      assert.notEqual(problems(fs.readFileSync(path.join(wrong, `${name}.yaml`), 'utf8')), '', name);
    }
  });

  test('says what each key of a plugin is for, and what holds without it', () => {
    const rules = schema.properties.plugins.additionalProperties.allOf;
    const sms = rules.find((one) => one.if.properties.plugin.const === 'twilio_sms').then.properties.config;
    assert.match(sms.properties.auth_token.description, /signs webhooks/);
    assert.equal(sms.properties.api_base.default, 'https://api.twilio.com');
    assert.equal(schema.properties.server.properties.limits.properties.connections.default, 20000);
  });
});
