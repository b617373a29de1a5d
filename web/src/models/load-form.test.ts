/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { ApiError, type Model } from '../server/api';
import { noTexts } from '../load/load-fields';
import {
  canForce,
  estimateRequestOf,
  fieldErrors,
  isCancelled,
  loadRequestOf,
  newLoadForm,
  refusedField,
  type LoadForm,
} from './load-form';

const model = { key: 'qwen', max_context_length: 8192 } as Model;
const form = (more: Partial<LoadForm> = {}): LoadForm => ({ ...newLoadForm(model), ...more });

describe('a load request', () => {
  it('has a ttl of ten minutes and nothing else by default', () => {
    expect(loadRequestOf(form())).toEqual({ model: 'qwen', ttl: 600 });
  });
  it('has what is filled in, without spaces around it', () => {
    const filled = form({
      minutes: '0,5',
      load: { ...noTexts, context_length: ' 4096 ', parallel: '2', flash_attention: 'false' },
      identifier: ' mine ',
      keep: true,
      force: true,
    });
    expect(loadRequestOf(filled)).toEqual({
      model: 'qwen',
      ttl: 30,
      context_length: 4096,
      parallel: 2,
      flash_attention: false,
      identifier: 'mine',
      keep: true,
      force: true,
    });
  });
  it('begins with the ttl of the model’s own settings', () => {
    expect(loadRequestOf(newLoadForm(model, { ttl: 90 })).ttl).toBe(90);
    expect(loadRequestOf(newLoadForm(model, { ttl: -1 })).ttl).toBe(-1);
  });
  it('says -1 for a model that stays', () => {
    expect(loadRequestOf(form({ stays: true, minutes: 'nonsense' })).ttl).toBe(-1);
  });
});

describe('an estimate request', () => {
  it('has only what decides the memory', () => {
    expect(
      estimateRequestOf(form({ load: { ...noTexts, context_length: '512' }, identifier: 'mine' })),
    ).toEqual({
      model: 'qwen',
      context_length: 512,
    });
  });
  it('does not depend on the ttl', () => {
    expect(estimateRequestOf(form({ minutes: 'nonsense' }))).toEqual({ model: 'qwen' });
  });
  it.each([{ context_length: 'many' }, { context_length: '8193' }, { parallel: '0' }])(
    'is not made of %o',
    (wrong) => expect(estimateRequestOf(form({ load: { ...noTexts, ...wrong } }))).toBeNull(),
  );
});

describe('errors', () => {
  it('are none in a new form', () => expect(fieldErrors(form())).toEqual({}));
  it('name the field and its range', () => {
    const wrong = form({ load: { ...noTexts, context_length: '0' }, minutes: 'soon' });
    expect(fieldErrors(wrong)).toEqual({
      ttl: 'Enter minutes, such as 10 or 0.5.',
      context_length: 'Enter a whole number from 16 to 8,192.',
    });
  });
  it('do not count minutes that are not used', () => {
    expect(fieldErrors(form({ stays: true, minutes: 'soon' }))).toEqual({});
  });
});

describe('refusals', () => {
  const refusal = (param: string | null, code: string | null) => new ApiError('', 400, param, code);
  it('belong to a field of the dialog or to none', () => {
    expect(refusedField(refusal('identifier', null))).toBe('identifier');
    expect(refusedField(refusal('kv_type_v', null))).toBe('kv_type_v');
    expect(refusedField(refusal('model', null))).toBeNull();
    expect(refusedField(refusal(null, null))).toBeNull();
  });
  it('can be a cancellation, or overruled', () => {
    expect(isCancelled(refusal(null, 'model_unloaded'))).toBe(true);
    expect(canForce(refusal(null, 'insufficient_memory'))).toBe(true);
    expect(canForce(refusal(null, 'model_load_failed'))).toBe(false);
  });
});
