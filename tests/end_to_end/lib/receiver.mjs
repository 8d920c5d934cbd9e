// A receiver of the hub's webhooks, judged by the Standard Webhooks package: it lives in the test's own process and so survives every
// kill of the hub.
import http from 'node:http';

import { judgePackage } from './places.mjs';

const { Webhook } = judgePackage('standardwebhooks');

export class Receiver {
  /** Every call: {id, headers, body, at}. */
  calls = [];
  /** The next answers, in order: a status, or 'hang' for none at all; then `status`. */
  answers = [];
  status = 204;

  static async start() {
    const receiver = new Receiver();
    receiver.server = http.createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        receiver.calls.push({ id: request.headers['webhook-id'], headers: request.headers, body: Buffer.concat(parts).toString('utf8'), at: Date.now() });
        const answer = receiver.answers.shift() ?? receiver.status;
        if (answer !== 'hang') response.writeHead(answer).end();
      });
    });
    await new Promise((resolve) => { receiver.server.listen(0, '127.0.0.1', resolve); });
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hook`;
    return receiver;
  }

  /** The event of a call; throws unless its signature holds for `secret`. */
  static verified(call, secret) {
    return new Webhook(secret).verify(call.body, call.headers);
  }

  ids() { return [...new Set(this.calls.map((call) => call.id))]; }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}
