// The real binary in a folder of its own, with a configuration made for one test.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { describedBy } from './description.mjs';
import { freePort, send, until } from './http.mjs';
import { binary } from './places.mjs';
import { accountSid, authToken, ownNumber } from './twilio.mjs';

const run = promisify(execFile);
const alive = new Set();
process.on('exit', () => { for (const hub of alive) hub.process?.kill('SIGKILL'); });

/** A twilio_sms instance for `plugins`. */
export function smsInstance({ apiBase = 'http://127.0.0.1:9', config = {}, ...more } = {}) {
  return {
    plugin: 'twilio_sms',
    aliases: { status: ['/webhooks/sms/twilio/'] },
    config: { account_sid: accountSid, auth_token: authToken, default_from: ownNumber, api_base: apiBase, ...config },
    ...more,
  };
}

/** A twilio_whatsapp instance for `plugins`. */
export function whatsappInstance({ apiBase = 'http://127.0.0.1:9', config = {}, ...more } = {}) {
  return {
    plugin: 'twilio_whatsapp',
    config: { account_sid: accountSid, auth_token: authToken, from: `whatsapp:${ownNumber}`, api_base: apiBase, ...config },
    ...more,
  };
}

export class Hub {
  /** `config` is laid over the development defaults, block by block; `env` goes to the process; `port` where it has to be known; `judged: false` under load. */
  static async start({ config = {}, env = {}, publicUrl, port, judged = true } = {}) {
    const hub = new Hub();
    hub.judged = judged;
    hub.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-test-'));
    hub.port = port ?? await freePort();
    hub.url = `${config.server?.tls ? 'https' : 'http'}://127.0.0.1:${hub.port}`;
    hub.publicUrl = publicUrl ?? hub.url;
    hub.env = env;
    hub.config = {
      mode: 'development',
      store: { url: 'sqlite:var/patchbay.db' },
      media: { url: 'file:var/media' },
      log: { level: 'info', format: 'text', file: '' },
      ...config,
      server: { listen: `127.0.0.1:${hub.port}`, public_url: hub.publicUrl, ...config.server },
    };
    hub.writeConfig();
    try {
      await hub.launch();
    } catch (error) {
      await hub.remove();
      throw error;
    }
    return hub;
  }

  get configFile() { return path.join(this.folder, 'patchbay.yaml'); }
  get database() { return path.join(this.folder, 'var/patchbay.db'); }
  get log() { return fs.readFileSync(path.join(this.folder, 'hub.log'), 'utf8'); }

  /** JSON is YAML, and cannot trip over a quote. */
  writeConfig() {
    fs.writeFileSync(this.configFile, JSON.stringify(this.config, null, 2));
  }

  /** Starts the process and waits for READY; returns the milliseconds that took. */
  async launch({ seconds = 30, env = {} } = {}) {
    const began = Date.now();
    const log = fs.openSync(path.join(this.folder, 'hub.log'), 'a');
    this.process = spawn(binary, ['serve', '-c', this.configFile], {
      cwd: this.folder, stdio: ['ignore', log, log], env: { ...process.env, ...this.env, ...env },
    });
    fs.closeSync(log);
    alive.add(this);
    this.exited = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => resolve({ code, signal }));
      this.process.on('error', (error) => resolve({ code: null, signal: error.message }));
    });
    let end = null;
    this.exited.then((value) => { end = value; });
    await until('the hub is ready', async () => {
      if (end) return end;
      return (await send(this.url, '/health/ready', { timeoutMs: 2000 })).status === 200;
    }, { seconds, everyMs: 15 }).catch((error) => { throw new Error(`${error.message}\n${this.log.slice(-4000)}`); });
    if (end) throw new Error(`the hub ended at start: ${JSON.stringify(end)}\n${this.log.slice(-4000)}`);
    const ms = Date.now() - began;
    if (this.judged) describedBy(this.url, (await send(this.url, '/api/v1/openapi.json')).body);
    return ms;
  }

  async kill() {
    this.process.kill('SIGKILL');
    return this.exited;
  }

  /** SIGTERM; returns {code, signal, seconds}. */
  async stop({ seconds = 35 } = {}) {
    const began = Date.now();
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), seconds * 1000);
    const end = await this.exited;
    clearTimeout(timer);
    return { ...end, seconds: (Date.now() - began) / 1000 };
  }

  /** Ends the process and deletes its folder. */
  async remove() {
    if (this.process && this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    alive.delete(this);
    if (!process.env.PATCHBAY_KEEP) fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a verb of the command line; never throws: {code, stdout, stderr}. */
  async cli(args, { input } = {}) {
    const child = run(binary, [...args, '-c', this.configFile], { cwd: this.folder, env: { ...process.env, ...this.env }, timeout: 60_000 });
    child.child.stdin.on('error', () => {});  // A verb that reads no input may end before it is written.
    child.child.stdin.end(input ?? '');
    try {
      return { code: 0, ...(await child) };
    } catch (error) {
      return { code: error.code, stdout: error.stdout ?? '', stderr: error.stderr ?? String(error) };
    }
  }

  /** A bearer token of a user with this role; the user is made at the first call. */
  token(role = 'owner') {
    this.tokens ??= {};
    this.tokens[role] ??= this.#makeToken(role);
    return this.tokens[role];
  }

  async #makeToken(role) {
    const email = `${role}@example.com`;
    // Without a password: hashing one is slow on purpose.
    const added = await this.cli(['user', 'add', '--email', email, '--name', `The ${role}`, '--role', role]);
    if (added.code !== 0) throw new Error(`user add: ${added.stderr}${added.stdout}`);
    const made = await this.cli(['token', '--email', email]);
    if (made.code !== 0) throw new Error(`token: ${made.stderr}${made.stdout}`);
    return made.stdout.match(/[\w-]+\.[\w-]+\.[\w-]+/)[0];
  }

  /** A signed-in JSON request. `body` is encoded; `raw` is sent as it is. */
  async api(method, target, body, { role = 'owner', headers = {}, agent, raw } = {}) {
    const authorization = role ? { authorization: `Bearer ${await this.token(role)}` } : {};
    const content = body === undefined && raw === undefined ? {} : { 'content-type': 'application/json' };
    return send(this.url, target, {
      method, agent, body: raw ?? (body === undefined ? '' : JSON.stringify(body)), headers: { ...authorization, ...content, ...headers },
    });
  }

  /** All items of a core list, page after page. */
  async list(target, options) {
    const items = [];
    let cursor = null;
    do {
      const join = target.includes('?') ? '&' : '?';
      const answer = await this.api('GET', target + (cursor ? `${join}cursor=${encodeURIComponent(cursor)}` : ''), undefined, options);
      if (answer.status !== 200) throw new Error(`GET ${target}: ${answer.status} ${answer.body}`);
      items.push(...answer.json.items);
      cursor = answer.json.next;
    } while (cursor);
    return items;
  }

  /** Rows of the database, read beside the running server or from what a killed one left. */
  async sql(statement) {
    const { stdout } = await run('sqlite3', ['-readonly', '-json', '-cmd', '.timeout 5000', this.database, statement], { maxBuffer: 1 << 28 });
    return stdout.trim() ? JSON.parse(stdout) : [];
  }

  /** A write that no interface offers, with the hub stopped. */
  async changeDatabase(statement) {
    if (this.process.exitCode === null) throw new Error('the hub is still running');
    await run('sqlite3', [this.database, statement]);
  }

  /** Waits until every accepted webhook reached its end state (G2). */
  async routed({ seconds = 20 } = {}) {
    await until('no webhook waits to be routed', async () => {
      const [{ waiting }] = await this.sql("SELECT count(*) AS waiting FROM ingress WHERE state = 'received'");
      return waiting === 0;
    }, { seconds });
  }
}
