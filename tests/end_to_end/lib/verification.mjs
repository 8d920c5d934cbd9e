// What tests of verifications share.
import assert from 'node:assert/strict';

export const service = 'VA0123456789abcdef0123456789abcdef';
export const open = { allowed_countries: ['US', 'DE'] };

let numbers = 0;
/** A number that no earlier call gave, in a block of its own. */
export function newPhone() {
  numbers += 1;
  return `+4915${String(10_000_000 + numbers * 1000 + 210)}`;
}

export const start = (hub, to, more = {}, options) => hub.api('POST', '/api/sms/verify/start/', { to_phone: to, ...more }, options);
export const check = (hub, to, code, options) => hub.api('POST', '/api/sms/verify/check/', { to_phone: to, code }, options);
/** Another code than that one. */
export const other = (code) => code.slice(0, -1) + (Number(code.at(-1)) + 1) % 10;
export const shown = (answer) => [answer.status, answer.json.outcome, answer.json.valid];

/** What the contract prints for every refusal. */
export function isProblem(answer, status, code) {
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  assert.deepEqual([answer.json.code, answer.json.outcome, answer.json.valid, answer.json.status], [code, code, false, status]);
  if (status === 429) assert.ok(Number(answer.headers['retry-after']) > 0, 'Retry-After');
}
