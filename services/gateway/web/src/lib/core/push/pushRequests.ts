/** Asks the gateway for what belongs to push: the key, the subscriptions of devices, a test, and settings. */

import type { RestClient } from '../connection/restClient.ts';
import type { PushSettings, QuietHours } from '../contract/wire.ts';

export interface StoredSubscription {
  endpoint: string;
  keys: { p256dh: string; auth: string };
  /** The key that it was made with, as base64url. */
  application_server_key: string;
}

/** Each method rejects with MessengerError. */
export class PushRequests {
  #rest: RestClient;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  async key(): Promise<string> {
    return (await this.#rest.get<{ public_key: string }>('/push/key')).public_key;
  }

  async subscribe(subscription: StoredSubscription): Promise<void> {
    await this.#rest.call('PUT', '/push/subscriptions', { kind: 'webpush', ...subscription });
  }

  async unsubscribe(endpoint: string): Promise<void> {
    await this.#rest.call('DELETE', '/push/subscriptions', { endpoint });
  }

  /** Pushes a test to all devices of the user. */
  async test(): Promise<void> {
    await this.#rest.call('POST', '/push/test');
  }

  settings(): Promise<PushSettings> {
    return this.#rest.get('/push/settings');
  }

  /** Null ends quiet hours. */
  setQuietHours(hours: QuietHours | null): Promise<PushSettings> {
    return this.#rest.call('PUT', '/push/settings', { quiet_hours: hours });
  }
}
