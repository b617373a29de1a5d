/* SPDX-License-Identifier: MIT */
import { render } from 'preact';
import { App } from './app';
import { startClock } from './clock';
import { stayLive } from './live';

render(<App />, document.getElementById('app')!);
startClock();
void stayLive();
