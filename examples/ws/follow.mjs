#!/usr/bin/env node
// Prints what happens, a line for each event, until Ctrl-C. Node 22, or 20 with --experimental-websocket. The token comes on standard input,
// so that no list of processes has it:
//
//   patchbay token --email bo@example.com | node examples/ws/follow.mjs ws://127.0.0.1:8000/ws conversations presence
import fs from 'node:fs';

import { Live } from './live.mjs';

const [url, ...topics] = process.argv.slice(2);
if (!url || topics.length === 0) {
  console.error('usage: follow.mjs ws://HOST:PORT/ws TOPIC... < TOKEN');
  process.exit(2);
}
const live = new Live({
  url, topics,
  token: fs.readFileSync(0, 'utf8').match(/[\w-]+\.[\w-]+\.[\w-]+/)?.[0],
  onEvent: ({ at, topic, event, data }) => console.log(at, topic, event, JSON.stringify(data)),
  onResync: () => console.log('some events are gone: fetch the lists anew'),
  onEnd: (code, reason) => {
    console.error(`${code} ${reason}`);
    process.exitCode = 1;
  },
});
process.on('SIGINT', () => live.close());
