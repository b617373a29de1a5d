/* SPDX-License-Identifier: MIT */
// The frame of the page: header, tabs, the view that the address names, dialogs.
import { signal } from '@preact/signals';
import { Log } from './log/log-view';
import { DeleteDialog } from './models/delete-dialog';
import { Instances } from './models/instances';
import { LoadDialog } from './models/load-dialog';
import { ModelSettingsDialog } from './models/model-settings-dialog';
import { ModelTable } from './models/model-table';
import { RecentUnloads } from './models/unloads';
import { connection, fleetState, hint, settings } from './server/store';
import { SettingsView } from './settings/settings-view';
import { Header } from './ui/header';
import { KeyDialog } from './ui/key-dialog';
import { lazy } from './ui/lazy';
import { Notices } from './ui/notices';

// Fetched when they are first opened: two of them need large libraries.
const Chat = lazy('chat', async () => (await import('./chat/chat-view')).Chat);
const Discover = lazy('search', async () => (await import('./discover/discover-view')).Discover);
const Fleet = lazy('fleet', async () => (await import('./fleet/fleet-view')).FleetView);
const Timeline = lazy(
  'timeline',
  async () => (await import('./timeline/timeline-view')).TimelineView,
);

const views = {
  models: {
    title: 'Models',
    render: () => (
      <>
        <Instances />
        <RecentUnloads />
        <ModelTable />
      </>
    ),
  },
  discover: { title: 'Discover', render: () => <Discover /> },
  chat: { title: 'Chat', render: () => <Chat /> },
  fleet: { title: 'Fleet', render: () => <Fleet /> },
  timeline: { title: 'Timeline', render: () => <Timeline /> },
  log: { title: 'Log', render: () => <Log /> },
  settings: { title: 'Settings', render: () => <SettingsView /> },
};
type ViewName = keyof typeof views;

function viewOf(hash: string): ViewName {
  const name = hash.replace(/^#/, '');
  return name in views ? (name as ViewName) : 'models';
}

// No element may have the name of a view as its id: the browser would scroll to it.
const view = signal<ViewName>(viewOf(location.hash));
window.addEventListener('hashchange', () => {
  view.value = viewOf(location.hash);
});

// A server that is in no fleet has nothing to say about it.
const isShown = (name: ViewName): boolean =>
  name !== 'fleet' || view.value === 'fleet' || fleetState.value?.on === true;

function Tabs() {
  return (
    <nav aria-label="Views">
      {(Object.keys(views) as ViewName[]).filter(isShown).map((name) => (
        <a
          key={name}
          href={`#${name}`}
          aria-current={view.value === name ? 'page' : undefined}
          onClick={() => scrollTo(0, 0)}
        >
          {views[name].title}
        </a>
      ))}
    </nav>
  );
}

// The hint is about the setting: once that is changed, it has been followed.
function Hint() {
  if (!hint.value || settings.value?.auto_evict !== 'on') return null;
  return (
    <div class="advice" role="status">
      {hint.value}{' '}
      <button type="button" onClick={() => (hint.value = '')}>
        Dismiss
      </button>
    </div>
  );
}

function ConnectionLost() {
  if (connection.value !== 'lost') return null;
  return (
    <div class="banner" role="alert">
      <strong>Connection lost.</strong> Showing the last known state; reconnecting. If the server
      has stopped, start it with <code>doze serve</code>.
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
      <Hint />
      <ConnectionLost />
      <main id="main" tabIndex={-1} data-view={view.value}>
        {views[view.value].render()}
      </main>
      <LoadDialog />
      <ModelSettingsDialog />
      <DeleteDialog />
      <KeyDialog />
      <Notices />
    </>
  );
}
