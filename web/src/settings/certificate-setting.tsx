/* SPDX-License-Identifier: MIT */
// The certificate and its key: with them the server answers by https, and this page moves there.
import { useSignal, type Signal } from '@preact/signals';
import { connection, settings } from '../server/store';
import { errors, save, SaveStatus } from './save';

type Name = 'tls_cert' | 'tls_key';

function FileField(props: { name: Name; label: string; text: Signal<string> }) {
  const { name, label, text } = props;
  return (
    <>
      <label for={name}>{label}</label>
      <input
        id={name}
        autoComplete="off"
        spellcheck={false}
        value={text.value}
        disabled={connection.value !== 'live'}
        aria-invalid={name in errors.value}
        aria-describedby="tls_cert-hint tls_cert-status"
        onInput={(e) => {
          text.value = e.currentTarget.value;
        }}
      />
    </>
  );
}

export function CertificateSetting() {
  const { tls_cert: isCert, tls_key: isKey } = settings.value!;
  const cert = useSignal(isCert ?? '');
  const key = useSignal(isKey ?? '');
  const unchanged = cert.value.trim() === (isCert ?? '') && key.value.trim() === (isKey ?? '');
  const set = async (e: Event) => {
    e.preventDefault();
    const change = { tls_cert: cert.peek().trim() || null, tls_key: key.peek().trim() || null };
    if (!(await save(change))) return;
    const protocol = change.tls_cert ? 'https:' : 'http:';
    if (location.protocol !== protocol) location.protocol = protocol;
  };
  return (
    <form class="setting" noValidate onSubmit={(e) => void set(e)}>
      <strong>Certificate (TLS)</strong>
      <div class="files">
        <FileField name="tls_cert" label="Certificate, a PEM file" text={cert} />
        <FileField name="tls_key" label="Its key, if it is in another file" text={key} />
      </div>
      <div class="row">
        <button type="submit" disabled={connection.value !== 'live' || unchanged}>
          Set certificate
        </button>
      </div>
      <p class="hint" id="tls_cert-hint">
        Whole paths on the server’s machine. With a certificate the server answers by https only,
        and this page moves there; a browser warns of a certificate that it does not know. Empty: by
        http.
      </p>
      <SaveStatus name="tls_cert" />
    </form>
  );
}
