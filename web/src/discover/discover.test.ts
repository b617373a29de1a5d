/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import type { Download, Model } from '../server/api';
import { fullName, isOnDisk, modelOf, offerOfFound, stateText, withQuantization } from './discover';

const download = (more: Partial<Download> = {}): Download => ({
  job_id: 'job-1',
  status: 'downloading',
  total_size_bytes: 4e8,
  downloaded_bytes: 1e8,
  bytes_per_second: 0,
  estimated_completion: null,
  model: 'a/b',
  quantization: 'Q4_K_M',
  path: '/m/a/b',
  ...more,
});

describe('what is typed', () => {
  it.each([
    'owner/repo',
    ' owner/repo@q4_k_m ',
    'owner/repo/file.gguf',
    'hf.co/owner/repo:Q4_K_M',
    'https://hub.example/owner/repo',
  ])('%s is a full name', (text) => expect(fullName(text)).toBe(text.trim()));
  it.each(['', 'qwen', 'qwen 0.5b', 'and/or what'])('%s is words', (text) =>
    expect(fullName(text)).toBeNull(),
  );
});

describe('an offer', () => {
  const found = { model: 'a/b', downloads: 5, likes: 1, quantization: 'Q8_0', size_bytes: 9 };
  it('has the quantizations to choose from', () => {
    const offer = offerOfFound({ ...found, quantizations: 'Q4_K_M, Q8_0', fits: true });
    expect(offer.quantizations).toEqual(['Q4_K_M', 'Q8_0']);
    expect(offer.name).toBe('a/b');
  });
  it('does not show the size of another quantization', () => {
    const offer = withQuantization(offerOfFound({ ...found, quantizations: '' }), 'Q2_K');
    expect([offer.name, offer.size, offer.fits]).toEqual(['a/b@Q2_K', null, null]);
  });
});

describe('a download', () => {
  it('says how far it is, how fast, and how long it takes', () => {
    const now = Date.parse('2026-11-26T12:00:00Z');
    const running = { bytes_per_second: 12.5e6, estimated_completion: '2026-11-26T12:00:24Z' };
    expect(stateText(download(running), now)).toBe('100 MB of 400 MB · 12.5 MB/s · 24 s left');
    expect(stateText(download(), now)).toBe('100 MB of 400 MB');
    expect(stateText(download({ status: 'paused' }), now)).toBe('Paused · 100 MB of 400 MB');
    expect(stateText(download({ status: 'completed' }), now)).toBe('Downloaded · 400 MB');
  });
  it('belongs to the model in its folder', () => {
    const models = [
      { key: 'x', path: '/m/c/d/x.gguf', problem: null },
      { key: 'b', path: '/m/a/b/b.gguf', problem: null },
    ] as Model[];
    expect(modelOf(download(), models)?.key).toBe('b');
    expect(isOnDisk('a/b', models)).toBe(true);
    expect(isOnDisk('a/bc', models)).toBe(false);
  });
});
