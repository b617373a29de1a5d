/* SPDX-License-Identifier: MIT */
// Settings that few people need: folded away.
import { Aliases } from './aliases';
import { ChoiceSetting, Switch, type Choice } from './controls';
import { maxTtl, otherNumbers } from './number-specs';
import { NumberSetting, OptionalNumberSetting } from './numbers';

const ttlUpdates: Choice<'ttl_update'>[] = [
  { value: 'set', label: 'Use it', hint: 'It replaces the ttl of the model.' },
  { value: 'longest', label: 'Use the longest', hint: 'The model stays until all have run out.' },
  { value: 'ignore', label: 'Ignore it', hint: 'The ttl of the first request stays.' },
];

const parkedChoices: Choice<'parked_workers'>[] = [
  { value: 'auto', label: 'Where memory is plenty', hint: 'If 8 GiB stay free beside it.' },
  { value: 'on', label: 'Where it fits', hint: 'Beside all that is loaded.' },
  { value: 'off', label: 'Never', hint: 'Each unload gives all memory back.' },
];

export function OtherSettings() {
  return (
    <details class="more">
      <summary>More server settings</summary>
      <h3>Other names of models</h3>
      <Aliases />
      <h3>Requests</h3>
      <ChoiceSetting
        name="ttl_update"
        title="A later request with another ttl"
        choices={ttlUpdates}
        hint="For models that requests have loaded."
      />
      <OptionalNumberSetting spec={maxTtl} />
      {otherNumbers.map((spec) => (
        <NumberSetting key={spec.name} spec={spec} hint={spec.hint} />
      ))}
      <h3>Server</h3>
      <Switch name="evict_on_pressure" label="Make room when memory is short">
        Models that requests loaded and that are idle leave when programs wait for memory.
      </Switch>
      <Switch name="standby" label="Keep a worker ready">
        One process waits with the engine’s libraries loaded, which saves some 30 ms at each load.
      </Switch>
      <ChoiceSetting
        name="parked_workers"
        title="Keep the workers of unloaded models"
        choices={parkedChoices}
        hint="Its next load then takes a moment. Such a worker leaves when its memory is needed."
      />
      <Switch name="sdk_port" label="Listen where LM Studio’s clients look">
        LM Studio’s SDK and lms then find doze without an address.
      </Switch>
      <Switch name="lmstudio_compat" label="Write the files that lms reads">
        Only if LM Studio itself is not installed.
      </Switch>
      <Switch name="ollama_default_keep_alive" label="Five minutes for Ollama’s clients">
        If they do not say how long a model stays. Off: as for all others.
      </Switch>
    </details>
  );
}
