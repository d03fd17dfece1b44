/** What push needs of the browser, as a port, and the browser that the page runs in. */

import { withDeadline } from '../base/deadline.ts';
import { MessengerError } from '../contract/failure.ts';
import type { UserId } from '../contract/wire.ts';

/**
 * Why there is no push here: `insecure` page, `embedded` in another page, a browser that wants the client to be on the
 * home screen first (`install`), or one that has no push at all (`browser`).
 */
export type PushObstacle = 'insecure' | 'embedded' | 'install' | 'browser';

/** Whose pushes this browser gets, and where. */
export interface SavedSubscription {
  user: UserId;
  endpoint: string;
}

export interface PushBrowser {
  obstacle(): PushObstacle | null;
  permission(): NotificationPermission;
  /** Asks the user. */
  ask(): Promise<NotificationPermission>;
  /** The service worker that gets the pushes. Rejects with MessengerError if there is none. */
  pushManager(): Promise<PushManager>;
  saved(): SavedSubscription | null;
  save(saved: SavedSubscription | null): void;
}

const STORED = 'messenger push';
const WORKER_MS = 10_000;

export const pushFailed = (why: string) =>
  new MessengerError({ code: 'push_failed', message: why, retryable: true });

/** `register` makes the service worker, if the page has none yet. It may reject with anything. */
export function pageBrowser(register: () => Promise<unknown>): PushBrowser {
  return {
    obstacle: findObstacle,
    permission: () => globalThis.Notification?.permission ?? 'denied',
    // The browser rejects this if the page may not ask.
    ask: () => Notification.requestPermission().catch(() => Notification.permission),
    pushManager: async () => {
      const known = await navigator.serviceWorker.getRegistration();
      if (!known)
        await register().catch((error) => {
          throw pushFailed(String(error));
        });
      // Without any worker this would wait for ever.
      const late = () => pushFailed('The service worker does not start.');
      return (await withDeadline(navigator.serviceWorker.ready, WORKER_MS, late)).pushManager;
    },
    saved: readSaved,
    save: writeSaved,
  };
}

function findObstacle(): PushObstacle | null {
  if (!globalThis.isSecureContext) return 'insecure';
  // The browser keeps the workers and permissions of embedded pages apart from those of the site.
  if (globalThis.parent !== globalThis.window) return 'embedded';
  if ('serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis)
    return null;
  // Only browsers of iOS have this. There a page gets pushes only from the home screen.
  return (navigator as { standalone?: boolean }).standalone === false ? 'install' : 'browser';
}

function readSaved(): SavedSubscription | null {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? 'null');
  } catch {
    return null;
  }
}

function writeSaved(saved: SavedSubscription | null): void {
  try {
    if (saved) localStorage.setItem(STORED, JSON.stringify(saved));
    else localStorage.removeItem(STORED);
  } catch {
    // Then nobody knows at the next start that push is on: the switch shows it as off, and can turn it on again.
  }
}
