/* SPDX-License-Identifier: MIT */
// The server's settings. Each change is sent at once; the page shows what the server answers.
import { settings } from '../server/store';
import { ApiKeys } from './api-keys';
import { CertificateSetting } from './certificate-setting';
import { ChoiceSetting, Switch, type Choice } from './controls';
import { LoadDefaults } from './load-defaults';
import { defaultTtl, explicitTtl, jitLimit, memoryLimit } from './number-specs';
import { NumberForm, OptionalNumberSetting } from './numbers';
import { OtherSettings } from './other-settings';
import { SaveStatus } from './save';
import { SavedPrompts } from './saved-prompts';
import './settings.css';

const lastModels = (limit: number, type = '') =>
  limit === 1 ? `the last ${type}model` : `the last ${limit} ${type}models`;

// limit: the setting jit_limit.
const evictModes = (limit: number): Choice<'auto_evict'>[] => [
  {
    value: 'on',
    label: 'On',
    hint: `Only keep ${lastModels(limit)} loaded by a request.`,
  },
  {
    value: 'per_type',
    label: 'One of each type',
    hint: `Keep ${lastModels(limit, 'language ')} and ${lastModels(limit, 'embedding ')}.`,
  },
  {
    value: 'fit',
    label: 'As many as fit',
    hint: 'Keep models while memory lasts; idle ones are evicted when a load needs room.',
  },
  {
    value: 'off',
    label: 'Off',
    hint: 'Never evict; models unload at their ttl or manually.',
  },
];

function AutoEvict() {
  const { auto_evict: current, jit_limit } = settings.value!;
  return (
    <ChoiceSetting
      name="auto_evict"
      title="Auto-Evict"
      choices={evictModes(jit_limit)}
      hint="Models that you loaded or pinned yourself are never evicted, and no answer is cut off."
    >
      {(current === 'on' || current === 'per_type') && (
        <>
          <NumberForm spec={jitLimit} value={jit_limit} />
          <p class="hint" id="jit_limit-hint">
            When one more is needed, the least recently used idle one is evicted.
          </p>
          <SaveStatus name="jit_limit" />
        </>
      )}
    </ChoiceSetting>
  );
}

export function SettingsView() {
  if (!settings.value) return <p class="empty">Fetching the settings…</p>;
  return (
    <section class="settings" aria-labelledby="settings-title">
      <h2 id="settings-title">Server settings</h2>
      <p class="hint">Changes take effect at once and survive a restart.</p>
      <h3>Loading and unloading</h3>
      <Switch name="jit" label="Just-in-time model loading">
        A request loads the model that it names. When off, only models that you loaded yourself
        answer requests.
      </Switch>
      <OptionalNumberSetting spec={defaultTtl} />
      <OptionalNumberSetting spec={explicitTtl} />
      <AutoEvict />
      <OptionalNumberSetting spec={memoryLimit} />
      <h3>How models are loaded</h3>
      <LoadDefaults />
      <SavedPrompts />
      <ApiKeys />
      <h3>Access</h3>
      <CertificateSetting />
      <Switch name="cors" label="Allow requests from other web pages (CORS)">
        Any page that is open in your browser can then use your models. Apps do not need this.
      </Switch>
      <OtherSettings />
      <p class="hint">
        <a href="/assets/licenses.txt">Licences of the libraries in this page</a>
      </p>
    </section>
  );
}
