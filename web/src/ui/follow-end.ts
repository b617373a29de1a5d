/* SPDX-License-Identifier: MIT */
// Keeps the end of a growing text in sight until the reader scrolls up, and again once the reader
// is back at the end.
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

const NEAR_PX = 40; // this near the end counts as being there

export class EndFollower {
  readonly following = signal(true);
  #top = 0;

  // top: how far it is scrolled; left: how far it could be scrolled on. Both in pixels.
  scrolled(top: number, left: number): void {
    // Any step up counts: a wheel moves in steps that are smaller than NEAR_PX.
    if (top < this.#top && left > 1) this.following.value = false;
    else if (left < NEAR_PX) this.following.value = true;
    this.#top = top;
  }
}

// scroller: what scrolls; null: the page. Call `follow` after the text has grown, `jump` to go to
// the end in any case.
export function useFollowEnd(scroller: () => Element | null) {
  const follower = useRef(new EndFollower());
  const element = () => scroller() ?? document.documentElement;
  useEffect(() => {
    const target = scroller() ?? window;
    const onScroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = element();
      follower.current.scrolled(scrollTop, scrollHeight - scrollTop - clientHeight);
    };
    target.addEventListener('scroll', onScroll, { passive: true });
    return () => target.removeEventListener('scroll', onScroll);
  }, []);
  const follow = () => {
    if (follower.current.following.peek()) element().scrollTop = element().scrollHeight;
  };
  const jump = () => {
    follower.current.following.value = true;
    follow();
  };
  return { follow, jump, following: follower.current.following };
}
