// Requests whose target reaches the server byte for byte: fetch() would rewrite a quote or an escape that a signature covers.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import { judge } from './description.mjs';

export class Answer {
  constructor(status, headers, body) {
    Object.assign(this, { status, headers, body });
  }
  get ok() { return this.status >= 200 && this.status < 300; }
  get json() { return JSON.parse(this.body); }
}

/**
 * Sends one request; `target` is what stands in the request line. Rejects when no complete answer came, and when a hub answers what it
 * does not describe. Over https any certificate will do. `from` is the loopback address to come from.
 */
export async function send(base, target, options = {}) {
  const answer = await sendUnjudged(base, target, options);
  judge(base, options.method ?? 'GET', target, answer);
  return answer;
}

// Without an agent each on a connection of its own: a kept one may be closed by the hub in the moment in which a slow machine uses it again.
function sendUnjudged(base, target, { method = 'GET', headers = {}, body = '', agent = false, from, timeoutMs = 30_000 } = {}) {
  const { protocol, hostname, port } = new URL(base);
  const { request: begin } = protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const length = method === 'GET' && !body ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = begin(
      {
        hostname, port, path: target, method, agent, timeout: timeoutMs, headers: { ...length, ...headers },
        localAddress: from, rejectUnauthorized: false,
      },
      (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve(new Answer(response.statusCode, response.headers, Buffer.concat(parts).toString('utf8'))));
        response.on('error', reject);
        response.on('aborted', () => reject(new Error('the answer was cut off')));
      },
    );
    request.on('timeout', () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    request.on('error', reject);
    request.end(body);
  });
}

const claims = path.join(os.tmpdir(), 'patchbay-test-ports');
const claimed = [];
process.on('exit', () => { for (const file of claimed) fs.rmSync(file, { force: true }); });

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Whether no other test process has the port; a file with our process id keeps it until we end. */
function claim(port) {
  const file = path.join(claims, String(port));
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const owner = Number(fs.readFileSync(file, 'utf8'));
    if (owner && !isRunning(owner)) fs.rmSync(file, { force: true });
    return false;
  }
  claimed.push(file);
  return true;
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/**
 * A loopback port for the caller alone. Tests run side by side, and a port that the kernel gives out may be somebody's again before the
 * hub listens on it; the test would then talk to another test's hub. So: below the kernel's range, and claimed.
 */
export async function freePort() {
  fs.mkdirSync(claims, { recursive: true });
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (claim(port) && await canListen(port)) return port;
  }
}

/**
 * Asks `question` again and again until its answer is truthy, and returns that answer. Says at the end what was awaited and
 * what was seen last; `question` may throw while things are not there yet.
 */
export async function until(what, question, { seconds = 20, everyMs = 25 } = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      last = await question();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}; last seen: ${last?.message ?? JSON.stringify(last)}`);
    await new Promise((go) => setTimeout(go, everyMs));
  }
}
