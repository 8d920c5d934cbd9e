// Libraries that were built with an SDK of the past, kept under tests/abi: this hub loads them, checks their configuration and calls them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { Acme, acmeInstance, receiveThrough, sendThrough } from './lib/acme.mjs';
import { Hub } from './lib/hub.mjs';
import { binary, root } from './lib/places.mjs';

const kept = path.join(root, 'tests/abi');
const skip = process.arch === 'x64' ? false : `the libraries of tests/abi are for x86-64, this is ${process.arch}`;

for (const version of fs.readdirSync(kept).filter((name) => /^\d/.test(name))) {
  for (const isolation of ['none', 'process']) test(`libraries built with SDK ${version} load, answer and are reloaded in this hub, isolation: ${isolation}`, { skip }, async (t) => {
    const acme = await Acme.start();
    t.after(() => acme.stop());
    const hub = await Hub.start({ config: {
      plugin_path: [path.join(kept, version)],
      plugins: {
        one: acmeInstance('acme_sms', acme.url, isolation), two: acmeInstance('acme_two', acme.url, isolation),
        counter: { plugin: 'counter', isolation, config: { first: 40 } },
      },
    } });
    t.after(() => hub.remove());
    for (const round of ['first', 'second']) {
      for (const [instance, plugin] of [['one', 'acme_sms'], ['two', 'acme_two']]) {
        await sendThrough(hub, acme, instance, plugin, `${round} text`);
        await receiveThrough(hub, instance, plugin, `${instance}-${round}`);
      }
      const { json } = await hub.api('POST', '/api/counter/count');
      assert.equal(json.count, round === 'first' ? 41 : 42);
      for (const instance of ['one', 'two', 'counter']) {
        const { status, body } = await hub.api('POST', `/api/v1/plugins/${instance}/reload`);
        assert.equal(status, 200, body);
      }
    }
    const plugins = await hub.list('/api/v1/plugins');
    assert.deepEqual(plugins.map((one) => [one.state, one.generation]), Array(3).fill(['active', 3]), JSON.stringify(plugins));
  });

  test(`the hub checks a configuration with what libraries of SDK ${version} say of their keys`, { skip }, async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-abi-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'hub.yaml');
    const config = { plugin_path: [path.join(kept, version)], plugins: { one: { plugin: 'acme_sms', config: { api_kee: 'x', from: '15005550006' } } } };
    fs.writeFileSync(file, JSON.stringify(config, null, 1));
    const failed = await promisify(execFile)(binary, ['config', 'validate', '-c', file]).catch((error) => error);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /api_kee: unknown key, did you mean "api_key"\?/);
    assert.match(failed.stderr, /"signing_key" is missing/);
  });

  for (const [plugin, config] of [['acme_sms', acmeInstance('acme_sms', 'http://127.0.0.1:9')], ['acme_two', acmeInstance('acme_two', 'http://127.0.0.1:9')],
    ['counter', { plugin: 'counter', config: { first: 1 } }]]) {
    test(`plugin check passes ${plugin} of SDK ${version}`, { skip }, async (t) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-abi-'));
      t.after(() => fs.rmSync(folder, { recursive: true }));
      const file = path.join(folder, 'sample.yaml');
      fs.writeFileSync(file, JSON.stringify({ plugins: { one: config } }));
      const library = path.join(kept, version, `${plugin}.so`);
      const { stdout } = await promisify(execFile)(binary, ['plugin', 'check', library, '--config', file]).catch((error) => assert.fail(error.stdout));
      assert.match(stdout, new RegExp(`^${plugin} .*: \\d+ passed, \\d+ skipped$`, 'm'));
    });
  }
}
