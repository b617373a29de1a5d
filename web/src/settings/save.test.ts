/* SPDX-License-Identifier: MIT */
import { expect, test, vi } from 'vitest';
import type { Settings } from '../server/api';
import { settings } from '../server/store';
import { save, saved } from './save';

const answers: ((all: Settings) => void)[] = [];
vi.mock('../server/api', () => ({
  errorMessage: String,
  patchSettings: () => new Promise((answer) => answers.push(answer)),
}));

test('an older save that is answered late does not speak for the newer one', async () => {
  const older = save({ explicit_ttl: 3600 });
  const newer = save({ explicit_ttl: 900 });
  answers[0]({ explicit_ttl: 3600 } as Settings);
  await older;
  expect(saved.value).toBe(null);
  answers[1]({ explicit_ttl: 900 } as Settings);
  await newer;
  expect(saved.value).toBe('explicit_ttl');
  expect(settings.value?.explicit_ttl).toBe(900);
});

test('an older save that is answered last changes nothing', async () => {
  answers.length = 0;
  const older = save({ explicit_ttl: 3600 });
  const newer = save({ explicit_ttl: 900 });
  answers[1]({ explicit_ttl: 900 } as Settings);
  await newer;
  answers[0]({ explicit_ttl: 3600 } as Settings);
  await older;
  expect(settings.value?.explicit_ttl).toBe(900);
});
