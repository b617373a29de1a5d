/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { fittingSize, isImage } from './images';

describe('images to be sent', () => {
  it('are made smaller in proportion, and never larger', () => {
    expect(fittingSize(640, 480)).toEqual({ width: 640, height: 480 });
    expect(fittingSize(8192, 4096)).toEqual({ width: 2048, height: 1024 });
    expect(fittingSize(1, 30000)).toEqual({ width: 1, height: 2048 });
  });
  it('are files of that kind only', () => {
    expect(isImage(new File([], 'a.webp', { type: 'image/webp' }))).toBe(true);
    expect(isImage(new File([], 'a.pdf', { type: 'application/pdf' }))).toBe(false);
  });
});
