// Stand-ins for Twilio that nobody here wrote, each on a port of its own: Prism checks calls against Twilio's published
// OpenAPI document, emulate keeps state, checks credentials and calls back. Only what was started here is stopped here.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { freePort, send, until } from './http.mjs';
import { npmCache, sharedFile } from './places.mjs';

const running = new Set();
process.on('exit', () => { for (const stop of running) stop(); });

const folder = () => fs.mkdtempSync(path.join(os.tmpdir(), 'patchbay-judge-'));

/** The recorder in front of `target`: what was asked, and rules for the next answers. */
export async function startRecorder(target) {
  const port = await freePort();
  const child = spawn(process.execPath, [sharedFile('providers/prism-recorder.mjs'), '--listen', String(port), '--target', target],
    { stdio: 'ignore' });
  const stop = () => { child.kill('SIGKILL'); running.delete(stop); };
  running.add(stop);
  const url = `http://127.0.0.1:${port}`;
  const control = (method, what, body) => send(url, `/__control/${what}`, { method, body: body ? JSON.stringify(body) : '' });
  await until('the recorder listens', () => control('GET', 'requests'));
  return {
    url, stop,
    requests: async () => (await control('GET', 'requests')).json,
    /** What prism-recorder.mjs documents: {path, method, times, status, drop, delay_ms, ...}. */
    rule: (rule) => control('POST', 'rules', rule),
    clear: async () => { await control('DELETE', 'rules'); await control('DELETE', 'requests'); },
  };
}

function script(name, env, ...args) {
  return execFileSync('bash', [sharedFile(`providers/${name}`), ...args], {
    env: { ...process.env, PATCHBAY_NPM_CACHE: npmCache, ...env }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 180_000,
  });
}

/** Prism with the document of one service (twilio-api, twilio-verify, ...) behind a recorder. */
export async function startPrism(service) {
  const port = await freePort();
  const run = folder();
  const env = { PATCHBAY_PRISM_RUN: run, [`PRISM_PORT_${service.toUpperCase().replaceAll('-', '_')}`]: String(port) };
  const stopPrism = () => {
    script('run-prism.sh', env, 'stop', service);
    fs.rmSync(run, { recursive: true, force: true });
    running.delete(stopPrism);
  };
  running.add(stopPrism);
  script('run-prism.sh', env, 'start', service);
  const recorder = await startRecorder(`http://127.0.0.1:${port}`);
  return { ...recorder, stop() { recorder.stop(); stopPrism(); } };
}

export const emulateAccount = {
  sid: 'AC00000000000000000000000000000000', token: 'twilio_test_auth_token', number: '+15551234567',
};

/** emulate behind a recorder. `smsUrl`: where it posts messages that a test makes come in. */
export async function startEmulate({ smsUrl }) {
  const port = await freePort();
  const run = folder();
  const seed = path.join(run, 'seed.yaml');
  const text = fs.readFileSync(sharedFile('providers/twilio-seed.yaml'), 'utf8');
  fs.writeFileSync(seed, text.replace(/sms_url: .*/, `sms_url: ${smsUrl}`));
  const env = { PATCHBAY_EMULATE_RUN: run, EMULATE_PORT: String(port), EMULATE_SEED: seed };
  const stopEmulate = () => {
    script('run-emulate.sh', env, 'stop');
    fs.rmSync(run, { recursive: true, force: true });
    running.delete(stopEmulate);
  };
  running.add(stopEmulate);
  script('run-emulate.sh', env, 'start');
  const direct = `http://127.0.0.1:${port}`;
  const recorder = await startRecorder(direct);
  const authorization = `Basic ${Buffer.from(`${emulateAccount.sid}:${emulateAccount.token}`).toString('base64')}`;
  const ask = (method, target, fields) => send(direct, target, {
    method, body: fields ? new URLSearchParams(fields).toString() : '',
    headers: { authorization, ...(fields ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) },
  });
  return {
    ...recorder,
    stop() { recorder.stop(); stopEmulate(); },
    messages: async () => (await ask('GET', `/2010-04-01/Accounts/${emulateAccount.sid}/Messages.json`)).json.messages,
    messageComesIn: (from, text) => ask('POST', '/_twilio/simulate/inbound-message', { From: from, To: emulateAccount.number, Body: text }),
    statusBecomes: (sid, status) => ask('POST', '/_twilio/simulate/message-status', { MessageSid: sid, Status: status }),
  };
}
