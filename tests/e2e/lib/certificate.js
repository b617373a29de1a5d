/* SPDX-License-Identifier: MIT */
// A certificate that signs itself, as a person makes one with openssl.
import { spawnSync } from 'node:child_process';
import path from 'node:path';

// {cert, key}: files in the folder; name: what the certificate says in its subject.
export function makeCertificate(folder, name = 'doze') {
  const cert = path.join(folder, 'cert.pem');
  const key = path.join(folder, 'key.pem');
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec',
    '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '30',
    '-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`openssl: ${made.error ?? made.stderr}`);
  return { cert, key };
}
