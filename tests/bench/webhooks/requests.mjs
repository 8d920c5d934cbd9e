// Writes COUNT signed webhooks, each a message of its own, for requests.lua: one to a line, signature, blank, form body.
//   node requests.mjs FILE COUNT PUBLIC_URL
import crypto from 'node:crypto';
import fs from 'node:fs';

import { authToken, encodeForm, inboundFields, newSid, signature } from '../../end_to_end/lib/twilio.mjs';

const [file, count, url] = process.argv.slice(2);

/** The package's result, a hundred times faster: a file of 200,000 would take it a minute. */
function sign(fields) {
  const text = Object.keys(fields).sort().reduce((all, key) => all + key + fields[key], url);
  return crypto.createHmac('sha1', authToken).update(text).digest('base64');
}

const stream = fs.createWriteStream(file);
for (let index = 0; index < Number(count); index += 1) {
  const phone = `+1555${String(2_000_000 + (index % 5000))}`;
  const fields = inboundFields({ from: phone, text: `Message ${index} of a bench, long enough to be one`, sid: newSid() });
  if (index === 0 && sign(fields) !== signature(authToken, url, fields)) throw new Error('signs other than Twilio');
  if (!stream.write(`${sign(fields)} ${encodeForm(fields)}\n`)) await new Promise((go) => { stream.once('drain', go); });
}
stream.end();
