// Certificates made on the spot, and raw bytes over TCP or TLS.
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';

/** A self-signed pair for `name` in `folder`: {certificate, key}, as server.tls has them. */
export function makeKeys(folder, name) {
  const pair = { certificate: path.join(folder, `${name}.crt`), key: path.join(folder, `${name}.key`) };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
    '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', pair.key, '-out', pair.certificate], { stdio: 'ignore' });
  return pair;
}

/** The common name of the certificate that a server shows. */
export function shownName(port) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Sends exactly these bytes and gives all that comes back until the server ends. */
export function sendRaw(base, bytes) {
  const { protocol, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = protocol === 'https:'
      ? tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
      : net.connect({ host: '127.0.0.1', port });
    const parts = [];
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => resolve(Buffer.concat(parts).toString('latin1')));
    socket.on('error', reject);
    socket.write(bytes);
  });
}
