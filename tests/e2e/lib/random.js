/* SPDX-License-Identifier: MIT */
// Random numbers that a seed repeats: Numerical Recipes' linear congruential generator.

// A function that gives a whole number from 0 to below - 1.
export function randomFrom(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

export const pick = (random, list) => list[random(list.length)];
