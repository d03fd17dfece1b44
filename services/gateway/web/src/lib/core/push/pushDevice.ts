/**
 * Turns push on and off for one user in this browser, and keeps the gateway informed about the browser's subscription.
 * A browser has one subscription, so only one user gets pushes in it.
 */

import { Observable } from '../base/observable.ts';
import { MessengerError } from '../contract/failure.ts';
import type { UserId } from '../contract/wire.ts';
import { type PushBrowser, type PushObstacle, pushFailed } from './pushBrowser.ts';
import type { PushRequests } from './pushRequests.ts';

/** `asking` while the browser asks the user, and until the gateway knows the device. */
export type PushStatus = 'checking' | 'unsupported' | 'denied' | 'off' | 'asking' | 'on';

export interface PushState {
  status: PushStatus;
  /** Why push is `unsupported`. */
  obstacle: PushObstacle | null;
}

/** Whose a subscription is that has still to be ended. */
const NOBODY = 0;
const BAD_KEY = 'application_server_key';

export class PushDevice {
  readonly state = new Observable<PushState>({ status: 'checking', obstacle: null });
  #requests: PushRequests;
  #me: UserId;
  #browser: PushBrowser;
  /** One thing is done at a time, in the order in which it was wanted. */
  #last: Promise<unknown> = Promise.resolve();
  #isStored = false;

  constructor(requests: PushRequests, me: UserId, browser: PushBrowser) {
    this.#requests = requests;
    this.#me = me;
    this.#browser = browser;
  }

  /**
   * Finds out how things are, without asking the user anything. The first time, and when `isChanged`, it also tells the
   * gateway: its key or the browser's subscription may be new. Never rejects.
   */
  check(isChanged = false): Promise<void> {
    return this.#queue(async () => {
      const obstacle = this.#browser.obstacle();
      if (obstacle) return this.state.set({ status: 'unsupported', obstacle });
      const saved = this.#browser.saved();
      const isOn = saved?.user === this.#me && this.#browser.permission() === 'granted';
      if (!isOn && saved) await this.#forget().catch(() => undefined);
      const isFine = isOn && (!isChanged && this.#isStored ? true : await this.#storeAgain());
      this.#settle(isFine);
    });
  }

  /** Call it for the user's own press: it asks them. Rejects with MessengerError. */
  turnOn(): Promise<void> {
    // The question has to be asked at once: browsers want it to follow the press.
    if (this.#browser.obstacle()) return this.check();
    this.#show('asking');
    const asked = this.#browser.ask();
    return this.#queue(async () => {
      let isOn = false;
      try {
        if ((await asked) === 'granted') {
          await this.#store();
          isOn = true;
        }
      } finally {
        this.#settle(isOn);
      }
    });
  }

  /** Also for a user who leaves. Without a connection, the gateway learns it from the push service. */
  turnOff(): Promise<void> {
    return this.#queue(async () => {
      await this.#forget().catch(() => undefined);
      this.#settle(false);
    });
  }

  /** Pushes a test to all devices of the user. Rejects with MessengerError. */
  sendTest(): Promise<void> {
    return this.#requests.test();
  }

  #queue(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  #settle(isOn: boolean): void {
    this.#show(this.#browser.permission() === 'denied' ? 'denied' : isOn ? 'on' : 'off');
  }

  #show(status: PushStatus): void {
    const { status: shown } = this.state.get();
    if (shown !== status) this.state.set({ status, obstacle: null });
  }

  /** Without a connection the device stays as it was. The next start tries again in any case. */
  #storeAgain(): Promise<boolean> {
    return this.#store().then(
      () => true,
      (error) => error instanceof MessengerError && error.retryable && error.code !== 'push_failed',
    );
  }

  async #store(): Promise<void> {
    try {
      await this.#subscribe();
    } catch (error) {
      // The gateway's key was rotated at this very moment.
      const isKeyOld = error instanceof MessengerError && error.details?.[BAD_KEY] !== undefined;
      if (!isKeyOld) throw error;
      await this.#subscribe();
    }
    this.#isStored = true;
  }

  async #subscribe(): Promise<void> {
    const manager = await this.#browser.pushManager();
    const key = await this.#requests.key();
    const subscription = await subscriptionWith(manager, key);
    const { endpoint, keys } = subscription.toJSON();
    if (!endpoint || !keys?.p256dh || !keys.auth) throw pushFailed('The browser gave no address.');
    const { p256dh, auth } = keys;
    await this.#requests.subscribe({ endpoint, keys: { p256dh, auth }, application_server_key: key });
    const old = this.#browser.saved();
    this.#browser.save({ user: this.#me, endpoint });
    if (old && old.endpoint !== endpoint)
      await this.#requests.unsubscribe(old.endpoint).catch(() => undefined);
  }

  /** If the browser does not end the subscription, or the page ends first, the next check tries again. */
  async #forget(): Promise<void> {
    const saved = this.#browser.saved();
    if (saved) this.#browser.save({ ...saved, user: NOBODY });
    this.#isStored = false;
    // Somebody else's is unknown to the gateway under this user. It ends at the push service.
    const isMine = saved?.user === this.#me;
    const told = isMine ? this.#requests.unsubscribe(saved.endpoint).catch(() => undefined) : null;
    const manager = await this.#browser.pushManager();
    await (await manager.getSubscription())?.unsubscribe();
    this.#browser.save(null);
    await told;
  }
}

/** The browser's subscription with this key of the gateway. One with another key is ended. */
async function subscriptionWith(manager: PushManager, key: string): Promise<PushSubscription> {
  try {
    const known = await manager.getSubscription();
    if (known && encoded(known.options?.applicationServerKey ?? null) === key) return known;
    await known?.unsubscribe();
    return await manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (error) {
    throw pushFailed(error instanceof Error ? error.message : String(error));
  }
}

/** As base64url without padding. */
function encoded(key: ArrayBuffer | null): string | null {
  if (!key) return null;
  const text = btoa(String.fromCharCode(...new Uint8Array(key)));
  return text.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
