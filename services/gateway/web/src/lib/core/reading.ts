/** Owns what the user has read: said at once, and said again when it could not be said at the time. */

import type { Line } from './line.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';

export class Reading {
  #line: Line;
  #store: Store;
  /** Of each conversation the message up to which it was read, until the gateway knows. */
  #unsaid = new Map<string, string>();
  #off: () => void;

  constructor(line: Line, store: Store) {
    this.#line = line;
    this.#store = store;
    this.#off = line.state.watch((state) => state.phase === 'online' && this.#sayAll());
  }

  stop(): void {
    this.#off();
  }

  /** The user has seen the newest message that is held. */
  read(room: Room): void {
    const newest = room.history.get().messages.at(-1);
    if (!newest || newest.seq <= room.row.get().read_seq) return;
    room.amend({ read_seq: newest.seq, unread: 0 });
    this.#unsaid.set(room.id, newest.id);
    this.#say(room.id);
  }

  #sayAll(): void {
    for (const id of this.#unsaid.keys()) this.#say(id);
  }

  #say(conversationId: string): void {
    const message_id = this.#unsaid.get(conversationId);
    if (message_id === undefined || !this.#store.rooms.has(conversationId)) return;
    const said = () => {
      if (this.#unsaid.get(conversationId) === message_id) this.#unsaid.delete(conversationId);
    };
    this.#line.ask({ type: 'message.read', message_id }).then(said, (error: { retryable?: boolean }) => {
      if (!error.retryable) said();
    });
  }
}
