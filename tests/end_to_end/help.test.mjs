// What the program says about itself: help, completions judged by the shells, the manual page judged by groff, and the demo.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';

import { send, until } from './lib/http.mjs';
import { binary } from './lib/places.mjs';

const run = promisify(execFile);
const said = async (...args) => (await run(binary, args)).stdout;

describe('the help', () => {
  /** The verbs of a help text, groups included. */
  const verbsIn = (help) => {
    const list = help.split(/^Subcommands:$/m)[1] ?? '';
    return [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name);
  };

  const verbs = async (words = []) => {
    const names = verbsIn(await said(...words, '--help'));
    const below = await Promise.all(names.map((name) => verbs([...words, name])));
    return names.length ? below.flat() : [words];
  };

  test('has two examples for each verb, and they begin as the verb does', async () => {
    const all = await verbs();
    assert.ok(all.length >= 17, `only ${all.length} verbs`);
    for (const words of all) {
      const examples = (await said(...words, '--help')).split('Examples:\n')[1] ?? '';
      const commands = [...examples.matchAll(/^ {2}(patchbay .*)$/gm)].map(([, command]) => command);
      assert.equal(commands.length, 2, words.join(' '));
      for (const command of commands) assert.ok(`${command} `.startsWith(`patchbay ${words.join(' ')} `), command);
    }
  });

  test('has no example that the program would not take', async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-examples-'));  // One verb writes where it is.
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const page = (await said('man')).split('.SH EXAMPLES')[1];
    const examples = [...page.matchAll(/^\\fB(patchbay .*)\\fR$/gm)].map(([, text]) => text.replaceAll('\\-', '-'));
    assert.ok(examples.length >= 34);
    for (const example of examples.filter((text) => !text.startsWith('patchbay demo'))) {
      // Without a configuration, or without the library to check (exit 4), nothing is done; a wrong verb or option would be told before
      // that, with exit 2.
      const command = `${example.replace(/ [<>|] .*| -c \S+/g, '').replace(/^patchbay/, binary)} -c /nonexistent/patchbay.yaml <<< 'a pass phrase'`;
      const { code } = await run('bash', ['-c', command], { cwd: folder }).then(() => ({ code: 0 }), (error) => error);
      assert.ok([0, 1, ...(example.includes('plugin check') ? [4] : [])].includes(code), `exit ${code}: ${command}`);
    }
  });
});

describe('the completions', () => {
  let folder;
  const file = (shell) => path.join(folder, `patchbay.${shell}`);
  before(async () => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-shells-'));
    for (const shell of ['bash', 'zsh', 'fish']) fs.writeFileSync(file(shell), await said('completions', shell));
    fs.writeFileSync(path.join(folder, 'mine.yaml'), '');
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const bash = async (...words) => {
    const script = `source ${file('bash')}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _patchbay; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await run('bash', ['-c', script, 'bash', ...words], { cwd: folder })).stdout.split('\n').filter(Boolean);
  };
  const fish = async (line) => {
    const { stdout } = await run('fish', ['--no-config', '-c', `source ${file('fish')}; complete -C '${line}'`], { cwd: folder });
    return stdout.split('\n').filter(Boolean).map((offer) => offer.split('\t')[0]);
  };

  const rows = [
    { line: 'patchbay tr', offered: ['trigger'] },
    { line: 'patchbay user ', offered: ['add', 'list'] },
    { line: 'patchbay user add --em', offered: ['--email'] },
    { line: 'patchbay --output ', exactly: ['json', 'table'] },
    { line: 'patchbay send --output j', exactly: ['json'] },
    { line: 'patchbay completions z', exactly: ['zsh'] },
    { line: 'patchbay serve -c mi', exactly: ['mine.yaml'] },
    { line: 'patchbay send --channel ', exactly: [] },
  ];
  const check = (row, offers) => {
    if (row.exactly) assert.deepEqual([...offers].sort(), row.exactly, row.line);
    else for (const word of row.offered) assert.ok(offers.includes(word), `${word} for "${row.line}" in ${offers}`);
  };

  test('bash offers verbs, options, values and files', async () => {
    for (const row of rows) check(row, await bash(...row.line.split(' ')));
  });

  test('fish offers the same', async () => {
    for (const row of rows) check(row, await fish(row.line));
  });

  test('zsh reads its script', async () => {
    await run('zsh', ['-n', file('zsh')]);
  });

  test('another shell is refused, exit 2', async () => {
    await assert.rejects(said('completions', 'tcsh'), (error) => error.code === 2);
  });
});

describe('the manual page', () => {
  test('is without a warning for groff and has every verb and exit code', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-man-'));
    try {
      const page = path.join(folder, 'patchbay.1');
      fs.writeFileSync(page, await said('man'));
      const { stdout, stderr } = await run('groff', ['-man', '-ww', '-Tascii', '-P-cbou', page]);
      assert.equal(stderr, '');
      for (const text of ['patchbay user add', 'patchbay deliveries list', '--password-stdin', 'EXIT STATUS', 'EXAMPLES']) {
        assert.ok(stdout.includes(text), text);
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('patchbay demo', () => {
  test('runs a conversation with the commands it prints, and leaves nothing behind', async (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-empty-'));
    const demo = spawn(binary, ['demo'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => { demo.on('exit', (code) => resolve(code)); });
    t.after(() => { demo.kill('SIGKILL'); fs.rmSync(folder, { recursive: true }); });
    let output = '';
    for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (part) => { output += part; });
    await until('it says where everything is', () => /Everything is in (\S+)/.test(output), { seconds: 30 }).catch((error) => {
      throw new Error(`${error.message}\n${output}`);
    });

    const commands = [...output.matchAll(/^ {2}(\S*patchbay .*|curl .*)$/gm)].map(([, command]) => command);
    const [trigger, events, deliveries, curl] = commands;
    await run('bash', ['-c', trigger]);
    await until('the answer is delivered', async () => (await run('bash', ['-c', deliveries])).stdout.includes('done'));
    assert.match((await run('bash', ['-c', events])).stdout, /message\.received/);
    const conversations = JSON.parse((await run('bash', ['-c', curl])).stdout);
    assert.equal(conversations.items.length, 1);

    const [, email, password] = output.match(/The user (\S+) has the password (\S+)/);
    const [, base] = output.match(/(http:\/\/127\.0\.0\.1:\d+)\/api/);
    const login = await send(base, '/api/v1/auth/login', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password }),
    });
    assert.equal(login.status, 200, login.body);

    const [, scratch] = output.match(/Everything is in (\S+)/);
    assert.ok(fs.existsSync(path.join(scratch, 'patchbay.yaml')));
    demo.kill('SIGINT');
    assert.equal(await ended, 0);
    assert.ok(!fs.existsSync(scratch));
    assert.deepEqual(fs.readdirSync(folder), []);
  });
});
