// Webhooks as Twilio would send them, signed by Twilio's own npm package.
import { judgePackage } from './places.mjs';
import { send } from './http.mjs';

const twilio = judgePackage('twilio');

export const accountSid = 'AC0123456789abcdef0123456789abcdef';
export const authToken = '9f3c5a7e1b2d4860a1c3e5f708192a3b';
export const ownNumber = '+14155552671';

const form = 'application/x-www-form-urlencoded; charset=UTF-8';

/** Pairs or an object; a list value is a repeated key. */
export function encodeForm(fields) {
  const pairs = Array.isArray(fields) ? fields : Object.entries(fields);
  const body = new URLSearchParams();
  for (const [key, value] of pairs) for (const one of [value].flat()) body.append(key, one);
  return body.toString();
}

export function signature(token, url, fields) {
  return twilio.getExpectedTwilioSignature(token, url, fields);
}

/** URL and signature of a body that is no form: its hash travels in the query. */
export function signedBody(token, url, body) {
  const hash = twilio.getExpectedBodyHash(body);
  const full = `${url}${url.includes('?') ? '&' : '?'}bodySHA256=${hash}`;
  return { url: full, signature: twilio.getExpectedTwilioSignature(token, full, {}) };
}

let sids = 0;
/** A SID that no earlier call gave: two letters and 32 hex digits. */
export function newSid(letters = 'SM') {
  sids += 1;
  return letters + process.pid.toString(16).padStart(8, '0') + Date.now().toString(16).padStart(12, '0') + sids.toString(16).padStart(12, '0');
}

export function inboundFields({ from, to = ownNumber, text, sid = newSid(), account = accountSid, ...more }) {
  return {
    MessageSid: sid, SmsSid: sid, SmsMessageSid: sid, AccountSid: account, From: from, To: to, Body: text,
    NumMedia: '0', NumSegments: '1', SmsStatus: 'received', ApiVersion: '2010-04-01', ...more,
  };
}

export function statusFields({ sid, status, to, from = ownNumber, account = accountSid, ...more }) {
  return {
    MessageSid: sid, SmsSid: sid, MessageStatus: status, SmsStatus: status, To: to, From: from, AccountSid: account,
    ApiVersion: '2010-04-01', ...more,
  };
}

/** Posts a signed form to a hook of the hub. `target` is path and query; the signature is for the hub's public URL. */
export function postHook(hub, target, fields, { token = authToken, agent, from, headers = {} } = {}) {
  return send(hub.url, target, {
    method: 'POST', agent, from, body: encodeForm(fields),
    headers: { 'content-type': form, 'x-twilio-signature': signature(token, hub.publicUrl + target, fields), ...headers },
  });
}
