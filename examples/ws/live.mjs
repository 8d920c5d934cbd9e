// A client of /ws that misses nothing: it comes back by itself and resumes behind the last event it saw. Runs in browsers as it is; under
// Node 20 give it the WebSocket of the package ws.
//
//   const live = new Live({ url: 'ws://127.0.0.1:8000/ws', token, topics: ['conversations'], onEvent: console.log, onResync: fetchListsAnew });
//   live.close();

const longestPauseMs = 10_000;

export class Live {
  /**
   * `token`: a text, or a function that fetches one (async). `onResync` is called when events were missed for good: fetch the lists anew.
   * `onEnd(code, reason)` is called when coming back would be of no use: signed out (4401) or not allowed (4403).
   */
  constructor({ url, token, topics, onEvent, onResync = () => {}, onEnd = () => {}, WebSocket = globalThis.WebSocket }) {
    Object.assign(this, { url, token, topics, onEvent, onResync, onEnd, WebSocket });
    this.last = null;  // `seq` of the newest event we had.
    this.failures = 0;
    this.#connect();
  }

  close() {
    this.isOver = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  send(command) {
    this.socket.send(JSON.stringify(command));
  }

  #connect() {
    const socket = this.socket = new this.WebSocket(this.url);
    socket.onopen = async () => {
      const token = typeof this.token === 'function' ? await this.token() : this.token;
      if (socket === this.socket) this.send({ type: 'auth', token });
    };
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onerror = () => {};  // onclose follows.
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  #hear(message) {
    switch (message.type) {
      case 'hello':
        this.failures = 0;
        if (this.last === null) {
          this.last = message.seq;
          this.send({ type: 'subscribe', topics: this.topics });
        } else {
          this.send({ type: 'resume', since: this.last, topics: this.topics });
        }
        break;
      case 'event':
        // Never true: what came between would have been sent before.
        if (message.prev !== this.last) throw new Error(`a gap: ${message.prev} instead of ${this.last}`);
        this.last = message.seq;
        this.onEvent(message);
        break;
      case 'resync':
        this.last = message.seq;
        this.onResync(message.reason);
        break;
    }
  }

  #closed(code, reason) {
    if (this.isOver) return;
    if (code === 4401 || code === 4403) {
      this.isOver = true;
      this.onEnd(code, String(reason));
      return;
    }
    const [, asked] = String(reason).match(/retry_in=(\d+)/) ?? [];
    const pauseMs = asked ? asked * 1000 : Math.min(longestPauseMs, 100 * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.#connect(), pauseMs * (0.5 + Math.random() / 2));
  }
}
