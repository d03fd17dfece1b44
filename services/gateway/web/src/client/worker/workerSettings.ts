/** What the page tells the worker, for when no page is open. A worker cannot read the page's preferences. */

import type { Language } from '../i18n/language.tsx';

export interface WorkerSettings {
  language: Language;
  /** The query of the page's address. In development it says who the user is. */
  query: string;
}

const CACHE = 'messenger settings';
const KEY = '/worker-settings';

export async function saveWorkerSettings(settings: WorkerSettings): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.put(KEY, Response.json(settings));
}

/** Null before any page has saved them. */
export async function readWorkerSettings(): Promise<WorkerSettings | null> {
  const cache = await caches.open(CACHE);
  return (await cache.match(KEY))?.json() ?? null;
}
