/* SPDX-License-Identifier: MIT */
import { signal } from '@preact/signals';
import { Chat } from './chat/chat-view';
import { Departures } from './models/unloads';
import { Header } from './ui/header';
import { KeyDialog } from './ui/key-dialog';
import { LoadDialog } from './models/load-dialog';
import { Loaded } from './models/instances';
import { Log } from './log/log-view';
import { Models } from './models/model-table';
import { Notices } from './ui/notices';
import { SettingsView } from './settings/settings-view';
import { connection } from './server/store';
import { TimelineView } from './timeline/timeline-view';

const views = {
  models: {
    title: 'Models',
    draw: () => (
      <>
        <Loaded />
        <Departures />
        <Models />
      </>
    ),
  },
  try: { title: 'Try it', draw: () => <Chat /> },
  timeline: { title: 'Timeline', draw: () => <TimelineView /> },
  log: { title: 'Log', draw: () => <Log /> },
  settings: { title: 'Settings', draw: () => <SettingsView /> },
};
type Name = keyof typeof views;

const named = (hash: string): Name => {
  const name = hash.replace(/^#/, '');
  return name in views ? (name as Name) : 'models';
};
export const view = signal<Name>(named(location.hash));
window.addEventListener('hashchange', () => {
  view.value = named(location.hash);
});

function Tabs() {
  return (
    <nav aria-label="Views">
      {(Object.keys(views) as Name[]).map((name) => (
        <a key={name} href={`#${name}`} aria-current={view.value === name ? 'page' : undefined}>
          {views[name].title}
        </a>
      ))}
    </nav>
  );
}

function Gone() {
  if (connection.value !== 'gone') return null;
  return (
    <div class="gone" role="alert">
      <strong>The server is gone.</strong> What you see is how it was. This page tries again by
      itself; start the server with <code>doze serve</code>.
    </div>
  );
}

export function App() {
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(e) => {
          e.preventDefault();
          document.getElementById('main')!.focus();
        }}
      >
        Skip to content
      </a>
      <Header />
      <Tabs />
      <Gone />
      <main id="main" tabIndex={-1} data-view={view.value}>
        {views[view.value].draw()}
      </main>
      <LoadDialog />
      <KeyDialog />
      <Notices />
    </>
  );
}
