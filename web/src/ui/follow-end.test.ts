/* SPDX-License-Identifier: MIT */
import { describe, expect, it } from 'vitest';
import { EndFollower } from './follow-end';

describe('following the end', () => {
  it('stops at the first step up, however small', () => {
    const follower = new EndFollower();
    follower.scrolled(500, 0);
    follower.scrolled(495, 5);
    expect(follower.following.value).toBe(false);
  });
  it('starts again near the end', () => {
    const follower = new EndFollower();
    follower.scrolled(500, 0);
    follower.scrolled(100, 400);
    follower.scrolled(300, 200);
    expect(follower.following.value).toBe(false);
    follower.scrolled(480, 20);
    expect(follower.following.value).toBe(true);
  });
  it('goes on when the text shrinks and the end moves up', () => {
    const follower = new EndFollower();
    follower.scrolled(500, 0);
    follower.scrolled(200, 0);
    expect(follower.following.value).toBe(true);
  });
});
