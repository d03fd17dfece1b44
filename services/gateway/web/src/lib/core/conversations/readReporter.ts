/**
 * Tells the gateway what the user has read. A report that fails while offline is sent again when the
 * connection is back.
 */

import type { SharedConnection } from '../tabs/sharedConnection.ts';
import { NOTHING_UNREAD, type Room } from './room.ts';
import type { Store } from './store.ts';

export class ReadReporter {
  #connection: SharedConnection;
  #store: Store;
  /** By conversation id: the id of the last read message, until the gateway has confirmed it. */
  #unreported = new Map<string, string>();
  #off: () => void;

  constructor(connection: SharedConnection, store: Store) {
    this.#connection = connection;
    this.#store = store;
    this.#off = connection.state.watch((state) => state.phase === 'online' && this.#reportAll());
  }

  stop(): void {
    this.#off();
  }

  /** The user has seen the newest loaded message. This also clears a mark as unread. */
  markRead(room: Room): void {
    const { messages, hasNewer } = room.history.get();
    const newest = messages.at(-1);
    const { read_seq, marked_unread_from } = room.row.get();
    if (hasNewer || !newest || (newest.seq <= read_seq && marked_unread_from === null)) return;
    room.updateRow({ read_seq: Math.max(read_seq, newest.seq), ...NOTHING_UNREAD });
    this.#unreported.set(room.id, newest.id);
    this.#report(room.id);
  }

  #reportAll(): void {
    for (const id of this.#unreported.keys()) this.#report(id);
  }

  #report(conversationId: string): void {
    const message_id = this.#unreported.get(conversationId);
    if (message_id === undefined || !this.#store.rooms.has(conversationId)) return;
    const settled = () => {
      if (this.#unreported.get(conversationId) === message_id) this.#unreported.delete(conversationId);
    };
    this.#connection
      .ask({ type: 'message.read', message_id })
      .then(settled, (error: { retryable?: boolean }) => {
        if (!error.retryable) settled();
      });
  }
}
