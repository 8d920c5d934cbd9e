// Requests whose target reaches the server byte for byte: fetch() would rewrite a quote or an escape that a signature covers.
import http from 'node:http';
import net from 'node:net';

export class Answer {
  constructor(status, headers, body) {
    Object.assign(this, { status, headers, body });
  }
  get ok() { return this.status >= 200 && this.status < 300; }
  get json() { return JSON.parse(this.body); }
}

/** Sends one request; `target` is what stands in the request line. Rejects when no complete answer came. */
export function send(base, target, { method = 'GET', headers = {}, body = '', agent, timeoutMs = 30_000 } = {}) {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const length = method === 'GET' && !body ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = http.request(
      { hostname, port, path: target, method, agent, timeout: timeoutMs, headers: { ...length, ...headers } },
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

/** A loopback port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
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
