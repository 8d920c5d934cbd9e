// Sockets of /ws, through the package ws, which nobody here wrote.
import assert from 'node:assert/strict';
import net from 'node:net';

import { until } from './http.mjs';
import { judgePackage } from './places.mjs';

const { WebSocket } = judgePackage('ws');
export { WebSocket };

export const liveUrl = (hub, query = '') => `${hub.url.replace('http', 'ws')}/ws${query}`;

/** One socket: what it heard so far, and the close when it came. */
export class Socket {
  constructor(url, options = {}) {
    this.heard = [];
    this.closed = null;
    this.ws = new WebSocket(url, options);
    this.ws.on('message', (data, isBinary) => {
      assert.equal(isBinary, false);
      this.heard.push(JSON.parse(data));
    });
    this.ws.on('close', (code, reason) => { this.closed = { code, reason: String(reason) }; });
    this.ws.on('error', () => {});  // A close follows.
    this.ws.on('unexpected-response', (request, response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => { this.refused = { status: response.statusCode, body: Buffer.concat(parts).toString() }; });
    });
    this.opened = new Promise((resolve) => { this.ws.on('open', resolve); });
  }

  /** Opens a socket of that role and waits for its hello. */
  static async of(hub, role = 'owner') {
    const socket = new Socket(liveUrl(hub), { headers: { authorization: `Bearer ${await hub.token(role)}` } });
    socket.hello = await socket.hears((message) => message.type === 'hello', 'hello');
    return socket;
  }

  send(command) { this.ws.send(typeof command === 'string' ? command : JSON.stringify(command)); }

  /** The first message that `wanted` admits, of all that came. */
  hears(wanted, what = String(wanted)) {
    return until(`the socket hears ${what}`, () => {
      if (this.closed) throw new Error(`it was closed: ${JSON.stringify(this.closed)}`);
      return this.heard.find(wanted);
    });
  }

  /** Sends a command and waits for its answer. */
  async ask(command) {
    this.ids = (this.ids ?? 0) + 1;
    const id = `q${this.ids}`;
    this.send({ ...command, id });
    return this.hears((message) => message.id === id, `the answer to ${JSON.stringify(command)}`);
  }

  subscribe(...topics) { return this.ask({ type: 'subscribe', topics }); }
  event(name, wanted = () => true) {
    return this.hears((message) => message.type === 'event' && message.event === name && wanted(message.data), name);
  }
  get events() { return this.heard.filter((message) => message.type === 'event'); }
  isClosed() { return until('the socket is closed', () => this.closed); }
  isRefused() { return until('the handshake is refused', () => this.refused); }
  close() { this.ws.terminate(); }
}

/** A TCP proxy in front of a port, which can cut what goes through it. */
export class Proxy {
  static async start(port) {
    const proxy = new Proxy();
    proxy.sockets = new Set();
    proxy.server = net.createServer((client) => {
      const hub = net.connect(port, '127.0.0.1');
      for (const [one, other] of [[client, hub], [hub, client]]) {
        proxy.sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => { proxy.sockets.delete(one); other.destroy(); });
        one.pipe(other);
      }
    });
    await new Promise((go) => { proxy.server.listen(0, '127.0.0.1', go); });
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  /** Whatever is on its way is lost. */
  cut() {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async stop() {
    this.cut();
    await new Promise((go) => { this.server.close(go); });
  }
}
