// `patchbay plugin check` on what ships: text, JSON, exit codes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import { binary, root } from './lib/places.mjs';

const plugins = path.join(path.dirname(binary), '..', 'plugins');
const twilio = [path.join(plugins, 'twilio_sms.so'), '--folder', path.join(root, 'plugins/channels/twilio_sms')];

function check(...args) {
  return spawnSync(binary, ['plugin', 'check', ...args], { encoding: 'utf8', timeout: 120_000 });
}

test('plugin check: a shipped channel conforms, within a few seconds, and each line names its check', () => {
  const began = Date.now();
  const { status, stdout, stderr } = check(...twilio);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^K01 {2}passed {3}stamp$/m);
  assert.match(stdout, /^D08 {2}passed {3}webhook_fuzz$/m);
  assert.match(stdout, /^D11 {2}passed {3}provider$/m);
  assert.match(stdout, /^twilio_sms [\d.]+: \d+ passed/m);
  assert.ok(Date.now() - began < 60_000);
});

test('plugin check --json: every check with its result, and the seed that was used', () => {
  const { status, stdout } = check(...twilio, '--json', '--seed', '7');
  const report = JSON.parse(stdout);
  assert.equal(status, 0, stdout);
  assert.equal(report.seed, 7);
  assert.equal(report.conforms, true);
  assert.equal(report.plugin, 'twilio_sms');
  assert.equal(report.checks.length, report.passed + report.warning + report.failed + report.skipped);
  assert.deepEqual(report.checks.slice(0, 2).map((one) => one.id), ['K01', 'K02']);
  for (const one of report.checks) assert.match(one.result, /^(passed|warning|failed|skipped)$/);
});

test('plugin check: what fails is named with its remedy and the seed, and the exit code is 1', () => {
  const folder = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'patchbay-test-'));
  try {
    const renamed = path.join(folder, 'other_name.so');
    fs.copyFileSync(twilio[0], renamed);
    const { status, stdout } = check(renamed, ...twilio.slice(1), '--seed', '7');
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^K02 {2}failed {3}name {14}the plugin is called "twilio_sms", its file other_name\.so\n +remedy: give /m);
    assert.match(stdout, /1 failed.*; run again with --seed 7$/m);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('plugin check --test: one check alone, by number or name', () => {
  for (const name of ['D05', 'empty_config']) {
    const { status, stdout } = check(...twilio, '--test', name);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^D05 {2}passed {3}empty_config\ntwilio_sms [\d.]+: 1 passed\n$/);
  }
});

test('plugin check: a plugin without a sample is told what was skipped', () => {
  const { status, stdout } = check(twilio[0]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^D04 {2}skipped {2}create {12}there is no sample\.yaml/m);
  assert.match(stdout, /\d+ skipped$/m);
});

test('plugin check: exit 4 for a file that is not there, 2 for a check that is not there', () => {
  const missing = check('nobody.so');
  assert.equal(missing.status, 4, missing.stderr);
  assert.match(missing.stderr, /there is no file nobody\.so/);
  assert.equal(check(...twilio, '--config', 'nowhere.yaml').status, 4);
  const unknown = check(...twilio, '--test', 'K99');
  assert.equal(unknown.status, 2, unknown.stderr);
  assert.match(unknown.stderr, /there is no check "K99"/);
});
