/* SPDX-License-Identifier: MIT */
import { expect, it } from 'vitest';
import type { StoredKey } from '../server/api';
import {
  emptyDraft,
  expiryText,
  isMaster,
  mistake,
  permissionText,
  toggled,
  usedText,
  wishOf,
} from './keys';

const now = Date.parse('2026-11-27T12:00:00Z');
const key: StoredKey = {
  id: '3fKq09Zb',
  name: 'editor',
  permissions: ['inference'],
  models: null,
  created_at: '2026-11-27T08:00:00Z',
  expires_at: null,
  last_used_at: null,
};

it('the first key may do everything, others answers of models', () => {
  expect(emptyDraft(true).permissions).toEqual(['admin']);
  expect(emptyDraft(false).permissions).toEqual(['inference']);
});

it('a draft without a name or a permission is not sent', () => {
  const draft = { ...emptyDraft(false), name: 'a' };
  expect(mistake(draft)).toBe('');
  expect(mistake({ ...draft, name: '  ' })).toMatch(/name/);
  expect(mistake({ ...draft, permissions: [] })).toMatch(/may do/);
});

it('what is not limited is not sent', () => {
  const draft = { ...emptyDraft(false), name: ' a ' };
  expect(wishOf(draft)).toEqual({ name: 'a', permissions: ['inference'] });
  expect(wishOf({ ...draft, models: ['m'], lifetime: 60 })).toEqual({
    name: 'a',
    permissions: ['inference'],
    models: ['m'],
    expires_in: 60,
  });
});

it('a choice is made once and taken back', () => {
  expect(toggled(['a', 'b'], 'a', true)).toEqual(['b', 'a']);
  expect(toggled(['a', 'b'], 'a', false)).toEqual(['b']);
});

it('permissions in words, in one order', () => {
  expect(permissionText({ ...key, permissions: ['events', 'inference'] })).toBe('Answers, Events');
  expect(permissionText({ ...key, permissions: ['inference', 'admin'] })).toBe('Everything');
});

it('when it expires or has expired, and when it was used', () => {
  expect(expiryText(key, now)).toBe('never');
  const at = (expires_at: string) => expiryText({ ...key, expires_at }, now);
  expect(at('2026-11-28T11:00:00Z')).toMatch(/^28 Nov \d\d:00$/);
  expect(at('2027-11-26T12:00:00Z')).toBe('26 Nov 2027');
  expect(at('2026-11-27T11:00:00Z')).toMatch(/^expired today \d\d:00$/);
  expect(usedText(key, now)).toBe('never');
  expect(usedText({ ...key, last_used_at: '2026-11-27T11:00:00Z' }, now)).toMatch(/^today/);
});

it('only an admin key without an end can always make others', () => {
  expect(isMaster(key)).toBe(false);
  expect(isMaster({ ...key, permissions: ['admin'] })).toBe(true);
  const ends = '2027-01-01T00:00:00Z';
  expect(isMaster({ ...key, permissions: ['admin'], expires_at: ends })).toBe(false);
});
