/** Combines a conversation's stored messages with the unsent ones from the outbox, as the user sees them. */

import { Computed, watchAll } from '../base/observable.ts';
import type { Failure } from '../contract/failure.ts';
import type { Message, UserId } from '../contract/wire.ts';
import { messageOf, type Outbox, type OutboxEntry } from '../outbox/outbox.ts';
import type { Room } from './room.ts';

/**
 * `sending`: kept, no answer yet. `sent`: stored. `delivered`: also sent to all members who are connected.
 * `read`: by at least one other member. `failed`: refused, see `failure`. Messages of others are `delivered`.
 */
export type MessageStatus = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ChatMessage extends Message {
  /** Stays the same while a message goes from `sending` to `sent`. */
  key: string;
  isMine: boolean;
  status: MessageStatus;
  failure: Failure | null;
}

export class Timeline {
  readonly messages: Computed<readonly ChatMessage[]>;
  #room: Room;
  #outbox: Outbox;
  #me: UserId;
  #cache = new WeakMap<Message | OutboxEntry, ChatMessage>();
  #off: () => void;

  constructor(room: Room, outbox: Outbox, me: UserId) {
    this.#room = room;
    this.#outbox = outbox;
    this.#me = me;
    this.messages = new Computed(() => this.#compute());
    const sources = [room.history, room.readPositions, room.position, outbox.entries];
    this.#off = watchAll(sources, () => this.messages.invalidate());
  }

  stop(): void {
    this.#off();
  }

  #compute(): readonly ChatMessage[] {
    const { messages } = this.#room.history.get();
    const readUpTo = this.#readUpTo();
    const stored = messages.map((message) => this.#storedMessage(message, readUpTo));
    const mine = this.#outbox.entries.get().filter((entry) => entry.conversation_id === this.#room.id);
    if (mine.length === 0) return stored;
    const known = new Set(messages.slice(-200).map((message) => message.client_message_id));
    const waiting = mine.filter((entry) => !known.has(entry.client_message_id));
    return [...stored, ...waiting.map((entry) => this.#unsentMessage(entry))];
  }

  /** The highest `seq` that any other member has read. */
  #readUpTo(): number {
    const others = [...this.#room.readPositions.get()].filter(([id]) => id !== this.#me);
    return Math.max(0, ...others.map(([, seq]) => seq));
  }

  #storedMessage(message: Message, readUpTo: number): ChatMessage {
    const isMine = message.sender_id === this.#me;
    const status = isMine ? this.#statusOf(message, readUpTo) : 'delivered';
    const made = this.#cache.get(message);
    if (made?.status === status) return made;
    const key = message.client_message_id ? `${message.sender_id} ${message.client_message_id}` : message.id;
    return this.#cached(message, { ...message, key, isMine, status, failure: null });
  }

  #statusOf(message: Message, readUpTo: number): MessageStatus {
    if (message.seq <= readUpTo) return 'read';
    return message.pos <= this.#room.pos ? 'delivered' : 'sent';
  }

  #unsentMessage(entry: OutboxEntry): ChatMessage {
    const made = this.#cache.get(entry);
    if (made) return made;
    const key = `${this.#me} ${entry.client_message_id}`;
    const status = entry.failure ? 'failed' : 'sending';
    return this.#cached(entry, {
      ...messageOf(entry, this.#me),
      key,
      isMine: true,
      status,
      failure: entry.failure,
    });
  }

  #cached(of: Message | OutboxEntry, made: ChatMessage): ChatMessage {
    this.#cache.set(of, made);
    return made;
  }
}
