/**
 * What a page does for its service worker: it opens conversations, says which ones it shows, and stores the browser's
 * new subscription. It listens once, however many components use it.
 */

import type { Session } from '../session.ts';
import type { PushBrowser } from './pushBrowser.ts';
import { PushDevice } from './pushDevice.ts';
import { PushRequests } from './pushRequests.ts';
import type { WorkerMessage } from './workerEvents.ts';

/** Gives what opens a conversation, as it is now. */
export type Opener = () => ((conversationId: string) => void) | undefined;

export class PushPage {
  readonly device: PushDevice;
  #isOpen: (conversationId: string) => boolean;
  #openers = new Set<Opener>();
  #ending: AbortController | null = null;

  constructor(device: PushDevice, isOpen: (conversationId: string) => boolean) {
    this.device = device;
    this.#isOpen = isOpen;
  }

  /** Listens for a component until it calls what this returns. */
  use(opener: Opener): () => void {
    this.#openers.add(opener);
    this.#ending ??= this.#listen();
    void this.device.check();
    return () => {
      this.#openers.delete(opener);
      if (this.#openers.size > 0) return;
      this.#ending?.abort();
      this.#ending = null;
    };
  }

  #listen(): AbortController {
    const ending = new AbortController();
    const { signal } = ending;
    const handleMessage = (event: MessageEvent<WorkerMessage | undefined>) => this.#answer(event);
    // The user may have changed the permission in the browser's settings, or turned push off in another tab.
    window.addEventListener('focus', () => void this.device.check(), { signal });
    navigator.serviceWorker?.addEventListener('message', handleMessage as EventListener, { signal });
    return ending;
  }

  #answer({ data, ports }: MessageEvent<WorkerMessage | undefined>): void {
    if (data?.type === 'messenger.subscription') void this.device.check(true);
    else if (data?.type === 'messenger.shows') ports[0]?.postMessage(this.#isOpen(data.conversation_id));
    // Without an answer, the worker tells it again.
    else if (data?.type === 'messenger.open' && this.#open(data.conversation_id)) ports[0]?.postMessage(true);
  }

  #open(conversationId: string): boolean {
    const open = [...this.#openers].map((opener) => opener()).find((each) => each !== undefined);
    open?.(conversationId);
    return open !== undefined;
  }
}

const pages = new WeakMap<Session, PushPage>();

/** The page of a session's user. The first call decides on the browser. */
export function pushPageOf(session: Session, browser: () => PushBrowser): PushPage {
  let page = pages.get(session);
  if (!page) {
    const device = new PushDevice(new PushRequests(session.rest), session.me, browser());
    page = new PushPage(device, (id) => session.view.isOpen(id));
    pages.set(session, page);
  }
  return page;
}
