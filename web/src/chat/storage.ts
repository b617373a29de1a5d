/* SPDX-License-Identifier: MIT */
// Keeps conversations in the browser (IndexedDB). Where a browser does not allow that, they last
// until the page is closed.
import type { Conversation } from './conversation';

const DATABASE = 'doze';
const STORE = 'conversations';
const VERSION = 1;

function finished<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
  return finished(request);
}

let database: Promise<IDBDatabase> | undefined;

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  database ??= open();
  return (await database).transaction(STORE, mode).objectStore(STORE);
}

// Rejects where the browser keeps nothing.
export const loadConversations = async (): Promise<Conversation[]> =>
  finished<Conversation[]>((await store('readonly')).getAll());

export async function saveConversation(conversation: Conversation): Promise<void> {
  await finished((await store('readwrite')).put(conversation));
}

export async function deleteConversation(id: string): Promise<void> {
  await finished((await store('readwrite')).delete(id));
}
