/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Model } from '../server/api';
import { changeOf, modelErrors, newModelForm, withoutSettings } from './model-settings';

const model = { key: 'qwen', max_context_length: 8192 } as Model;

describe('the change of a model’s settings', () => {
  it('sets what is filled in', () => {
    const f = newModelForm(model);
    const filled = { ...f, minutes: '0.5', ttl: 'minutes' as const };
    const load = { ...f.load, context_length: '4096', mlock: 'true' };
    expect(changeOf({ ...filled, load })).toEqual({
      models: { qwen: { context_length: 4096, mlock: true, ttl: 30 } },
    });
  });
  it('removes what was emptied and keeps the rest', () => {
    const f = newModelForm(model, { parallel: 1, threads: 2, ttl: -1 });
    expect(f.ttl).toBe('never');
    expect(changeOf({ ...f, ttl: 'default', load: { ...f.load, threads: '' } })).toEqual({
      models: { qwen: { parallel: 1, threads: null, ttl: null } },
    });
  });
  it('removes the entry when nothing is left', () => {
    const f = newModelForm(model, { parallel: 1, ttl: 60 });
    expect(changeOf(withoutSettings(f))).toEqual({ models: { qwen: null } });
  });
});

describe('errors', () => {
  it('are of fields that are used', () => {
    const f = { ...newModelForm(model), minutes: 'soon' };
    expect(modelErrors(f)).toEqual({});
    expect(modelErrors({ ...f, ttl: 'minutes' })).toEqual({
      ttl: 'Enter minutes, such as 30 or 0.5.',
    });
    expect(Object.keys(modelErrors({ ...f, load: { ...f.load, context_length: '9000' } }))).toEqual(
      ['context_length'],
    );
  });
});
