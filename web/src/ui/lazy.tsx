/* SPDX-License-Identifier: MIT */
// A view whose code is fetched when it is first shown.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

export function lazy(name: string, fetchView: () => Promise<ComponentType>): ComponentType {
  const view = signal<ComponentType | null>(null);
  const failed = signal(false);
  const fetchOnce = async () => {
    try {
      view.value = await fetchView();
    } catch {
      failed.value = true;
    }
  };
  return function Lazy() {
    useEffect(() => {
      if (!view.peek()) void fetchOnce();
    }, []);
    if (view.value) return <view.value />;
    const text = failed.value
      ? `The ${name} could not be fetched from the server. Reload the page.`
      : 'Loading…';
    return <p class="empty">{text}</p>;
  };
}
