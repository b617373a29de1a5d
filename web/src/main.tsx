/* SPDX-License-Identifier: MIT */
import { render } from 'preact';
import { App } from './app';
import { announceDownloads } from './discover/announce';
import './style.css';
import './ui/table.css';
import './ui/ui.css';
import { keepLive } from './server/live';
import { startClock } from './ui/clock';

render(<App />, document.getElementById('app')!);
startClock();
announceDownloads();
void keepLive();
