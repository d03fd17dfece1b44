/**
 * The client's service worker: it opens the client without a network, and shows pushes. It only ties the browser's
 * events to the functions beside it and in the library.
 */

import type {
  ClientWindow,
  NotificationData,
  ShownNotification,
  WorkerMessage,
  WorkerPort,
} from '../../lib/core/index.ts';
import { openConversation, receivePush, tellOfSubscription } from '../../lib/core/push/workerEvents.ts';
import { describePush } from './describe.ts';
import { answer, installShell, kindOf, removeOldShells, type Shell, type ShellPort } from './shell.ts';
import { workerTexts } from './texts.ts';
import { readWorkerSettings } from './workerSettings.ts';

declare const self: ServiceWorkerGlobalScope;
// The build replaces it.
declare const __SHELL__: Shell;

const ANSWER_MS = 500;
const ICON = '/app/icon-192.png';

const shellPort = (event: ExtendableEvent): ShellPort => ({
  caches: self.caches,
  fetch: (request, options) => self.fetch(request, options),
  waitUntil: (work) => event.waitUntil(work.catch(() => undefined)),
});

const port: WorkerPort = {
  show: ({ title, ...options }) =>
    self.registration.showNotification(title, { ...options, icon: ICON } as NotificationOptions),
  shown: async (tag) => (await self.registration.getNotifications({ tag })).map(shownNotification),
  windows: async () => {
    const found = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
    return found.filter(isOfClient).map(clientWindow);
  },
  openWindow: async (id) => {
    const query = (await readWorkerSettings())?.query ?? '';
    await self.clients.openWindow((id === null ? '/' : `/c/${id}`) + query);
  },
  // Only installed apps have a badge.
  setBadge: (count) => (self.navigator.setAppBadge?.(count) ?? Promise.resolve()).catch(() => undefined),
  describe: async (push) => {
    const language = (await readWorkerSettings().catch(() => null))?.language;
    return describePush(push, workerTexts(language, self.navigator.languages));
  },
};

/** The site has other pages too, such as the demo. */
const isOfClient = ({ url }: WindowClient) => /^\/($|c\/)/.test(new URL(url).pathname);

function shownNotification(shown: Notification): ShownNotification {
  const data = (shown.data ?? null) as NotificationData | null;
  return { title: shown.title, body: shown.body, data, close: () => shown.close() };
}

function clientWindow(client: WindowClient): ClientWindow {
  return {
    isFocused: client.focused,
    isVisible: client.visibilityState === 'visible',
    focus: async () => {
      await client.focus();
    },
    tell: (message) => client.postMessage(message),
    opens: (conversationId) => ask(client, { type: 'messenger.open', conversation_id: conversationId }),
    shows: (conversationId) => ask(client, { type: 'messenger.shows', conversation_id: conversationId }),
  };
}

/** False if the page does not answer, because it is just starting or is stopped. */
function ask(client: WindowClient, question: WorkerMessage): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const end = (said: boolean) => {
      clearTimeout(timer);
      port1.close();
      resolve(said);
    };
    const timer = setTimeout(() => end(false), ANSWER_MS);
    port1.onmessage = ({ data }) => end(data === true);
    client.postMessage(question, [port2]);
  });
}

self.addEventListener('install', (event) => {
  event.waitUntil(installShell(shellPort(event), __SHELL__).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(removeOldShells(shellPort(event), __SHELL__));
});

self.addEventListener('fetch', (event) => {
  const kind = kindOf(event.request, self.location.origin);
  if (kind) event.respondWith(answer(shellPort(event), __SHELL__, kind, event.request));
});

self.addEventListener('push', (event) => {
  event.waitUntil(receivePush(port, event.data?.text()));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openConversation(port, event.notification.data as NotificationData | null));
});

self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(tellOfSubscription(port));
});
