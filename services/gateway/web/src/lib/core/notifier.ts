/**
 * Shows browser notifications: at most one for each conversation, about its newest message. The notification
 * closes when the message is read (here or elsewhere) or deleted, or when the user opens, mutes or leaves the
 * conversation. In a browser that gets pushes, it is the service worker's, so that the push of the same message
 * finds it.
 */

import { Observable } from './base/observable.ts';
import { Timers } from './base/timers.ts';
import type { Message } from './contract/wire.ts';
import type { IncomingMessage } from './conversations/store.ts';
import type { WorkerNotifications } from './push/pageNotifications.ts';
import type { Session } from './session.ts';
import type { SharedEvent } from './tabs/messages.ts';

export interface NotificationText {
  title: string;
  body: string;
}

export interface NotifierOptions {
  isEnabled?: boolean;
  /** Gives the text of a notification. */
  describe: (incoming: IncomingMessage) => NotificationText | Promise<NotificationText>;
  /** The user clicked on a notification. */
  onOpen?: (conversationId: string) => void;
}

/** In a burst of messages, the user is alerted once in this time. */
const ALERT_INTERVAL_MS = 1_000;

/**
 * Whether the browser has notifications but lets no page make one, as on Android. This is known only after a
 * try.
 */
export const isUnsupported = new Observable(false);

export class Notifier {
  #session: Session;
  #options: () => NotifierOptions;
  /** By conversation id: the message to notify the user about. */
  #newest = new Map<string, IncomingMessage>();
  #shown = new Map<string, { close(): void; isWorkers?: boolean }>();
  #watched = new Map<string, () => void>();
  #timers = new Timers<string>();
  #offs: (() => void)[];

  constructor(session: Session, options: () => NotifierOptions) {
    this.#session = session;
    this.#options = options;
    const pageHidden = () => this.#closeOwn();
    globalThis.window?.addEventListener('pagehide', pageHidden);
    this.#offs = [
      session.onMessageToNotify((incoming) => this.#received(incoming)),
      session.connection.events.on((event) => this.#applyEvent(event)),
      session.connection.viewChanged.on(({ view }) => view?.focused && this.#viewed(view.conversations)),
      session.store.roomsChanged.on((id) => this.#closeIfRead(id)),
      () => globalThis.window?.removeEventListener('pagehide', pageHidden),
    ];
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#closeAll();
    this.#timers.stopAll();
  }

  #received(incoming: IncomingMessage): void {
    const { id } = incoming.conversation;
    this.#newest.set(id, incoming);
    this.#watch(id);
    if (!this.#timers.has(id)) this.#alert(id);
  }

  /** The conversation's row shows when it is read or muted, in whichever tab or device that happens. */
  #watch(id: string): void {
    const room = this.#session.room(id);
    if (room && !this.#watched.has(id))
      this.#watched.set(
        id,
        room.row.watch(() => this.#closeIfRead(id)),
      );
  }

  /** Shows the newest message. Messages of the next moment are shown together when that moment is over. */
  #alert(id: string): void {
    const alerted = this.#newest.get(id);
    void this.#show(id, true);
    this.#timers.start(id, ALERT_INTERVAL_MS, () => {
      const due = this.#newest.get(id);
      if (due && due.message.seq !== alerted?.message.seq) this.#alert(id);
    });
  }

  async #show(id: string, isAlert: boolean): Promise<void> {
    const due = this.#newest.get(id);
    const { isEnabled = true, describe } = this.#options();
    if (!due || !isEnabled || globalThis.Notification?.permission !== 'granted') return;
    const [{ title, body }, worker] = await Promise.all([describe(due), loadWorker()]);
    // A newer message took its place, or the notification is not needed any more.
    if (this.#newest.get(id) !== due) return;
    const options = { body, tag: id, renotify: isAlert };
    if (worker) return this.#showByWorker(worker, due, title, options);
    const notification = makeNotification(title, options);
    if (notification) this.#track(id, notification);
  }

  /** The worker handles the click, also when this page is gone. */
  async #showByWorker(
    worker: WorkerNotifications,
    due: IncomingMessage,
    title: string,
    options: NotificationOptions,
  ): Promise<void> {
    const { id } = due.conversation;
    const data = { conversation_id: id, seq: due.message.seq };
    const close = () => void worker.close(data);
    this.#shown.set(id, { close, isWorkers: true });
    await worker.show(title, { ...options, data });
    // Read or deleted in the meantime.
    if (!this.#newest.has(id)) close();
  }

  #track(id: string, notification: Notification): void {
    this.#shown.set(id, notification);
    const gone = () => this.#shown.get(id) === notification && this.#shown.delete(id);
    notification.onclose = gone;
    notification.onerror = gone;
    notification.onclick = () => {
      window.focus();
      this.#close(id);
      this.#options().onOpen?.(id);
    };
  }

  #applyEvent(event: SharedEvent): void {
    if (event.type !== 'message.edited' && event.type !== 'message.deleted') return;
    const due = this.#newest.get(event.conversation_id);
    // Answers to this user's own commands have the same types.
    if (!due || !('data' in event) || due.message.id !== event.data.id) return;
    if (event.type === 'message.deleted') this.#close(event.conversation_id);
    else this.#changed(due, event.data);
  }

  /** The notification shows the edited text, without a new alert. */
  #changed(due: IncomingMessage, message: Message): void {
    const { id } = due.conversation;
    this.#newest.set(id, { ...due, message });
    if (this.#shown.has(id)) void this.#show(id, false);
  }

  #viewed(ids: string[]): void {
    for (const id of ids) this.#close(id);
  }

  #closeIfRead(id: string): void {
    const due = this.#newest.get(id);
    const row = this.#session.room(id)?.row.get();
    if (!due) return;
    const isOff = !row || row.muted || row.notify === 'none';
    if (isOff || row.read_seq >= due.message.seq) this.#close(id);
  }

  /** A click on a page's notification does nothing without the page. The worker's ones stay. */
  #closeOwn(): void {
    for (const id of [...this.#newest.keys()]) if (!this.#shown.get(id)?.isWorkers) this.#close(id);
  }

  #closeAll(): void {
    for (const id of [...this.#newest.keys()]) this.#close(id);
  }

  #close(id: string): void {
    this.#newest.delete(id);
    this.#watched.get(id)?.();
    this.#watched.delete(id);
    this.#shown.get(id)?.close();
    this.#shown.delete(id);
  }
}

/** Null where this browser gets no pushes. It is loaded when it is needed, which few pages do. */
async function loadWorker(): Promise<WorkerNotifications | null> {
  if (!globalThis.navigator?.serviceWorker) return null;
  const load = await import('./push/pageNotifications.ts').catch(() => null);
  return load?.workerNotifications() ?? null;
}

/** Without `renotify`, the browser replaces a notification of the same tag silently. */
function makeNotification(
  title: string,
  options: NotificationOptions & { renotify: boolean },
): Notification | null {
  try {
    return new Notification(title, options);
  } catch {
    isUnsupported.set(true);
    return null;
  }
}

/** Asks the user for permission, unless pages cannot make notifications here at all. */
export async function askPermission(): Promise<void> {
  if (globalThis.Notification?.permission === 'default') {
    // Without permission this shows nothing. It only finds out whether the constructor works.
    makeNotification('', { tag: 'messenger', renotify: false })?.close();
  }
  if (isUnsupported.get()) return;
  // The browser rejects this if the page is embedded or not secure.
  await Promise.resolve(globalThis.Notification?.requestPermission()).catch(() => undefined);
}
