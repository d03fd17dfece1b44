/** Shows a page's notifications through the service worker, in a browser that gets pushes. */

import type { NotificationData } from './workerEvents.ts';

export interface WorkerNotifications {
  show(title: string, options: NotificationOptions & { data: NotificationData }): Promise<void>;
  /** Closes the conversation's notification, unless it is about a later message. */
  close(data: NotificationData): Promise<void>;
}

/** Null where this browser gets no pushes. */
export async function workerNotifications(): Promise<WorkerNotifications | null> {
  try {
    const worker = await navigator.serviceWorker.getRegistration();
    return worker && (await worker.pushManager.getSubscription()) ? shownBy(worker) : null;
  } catch {
    return null;
  }
}

function shownBy(worker: ServiceWorkerRegistration): WorkerNotifications {
  return {
    show: (title, options) => worker.showNotification(title, options).catch(() => undefined),
    close: async ({ conversation_id: tag, seq }) => {
      const shown = await worker.getNotifications({ tag }).catch(() => []);
      for (const each of shown) if (each.data?.seq <= seq) each.close();
    },
  };
}
