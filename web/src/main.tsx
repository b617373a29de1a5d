/* SPDX-License-Identifier: MIT */
import { render } from 'preact';
import { App } from './app';
import { startClock } from './ui/clock';
import { stayLive } from './server/live';

render(<App />, document.getElementById('app')!);
startClock();
void stayLive();
