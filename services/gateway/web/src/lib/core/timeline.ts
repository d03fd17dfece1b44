/** Owns a conversation's messages as a person sees them: what is stored, then what is still on its way. */

import { Derived, watchAll } from './cell.ts';
import type { Failure } from './failure.ts';
import { asMessage, type Entry, type Outbox } from './outbox.ts';
import type { Room } from './room.ts';
import type { Message, UserId } from './wire.ts';

/**
 * `sending`: kept, no answer yet. `sent`: stored. `delivered`: also told to all members who are connected.
 * `read`: by at least one other. `failed`: refused, see `failure`. Messages of others are `delivered`.
 */
export type MessageStatus = 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

export interface ChatMessage extends Message {
  /** Stays the same while a message goes from sending to sent. */
  key: string;
  isMine: boolean;
  status: MessageStatus;
  failure: Failure | null;
}

export class Timeline {
  readonly messages: Derived<readonly ChatMessage[]>;
  #room: Room;
  #outbox: Outbox;
  #me: UserId;
  #made = new WeakMap<Message | Entry, ChatMessage>();
  #off: () => void;

  constructor(room: Room, outbox: Outbox, me: UserId) {
    this.#room = room;
    this.#outbox = outbox;
    this.#me = me;
    this.messages = new Derived(() => this.#work());
    const sources = [room.history, room.reads, room.standing, outbox.entries];
    this.#off = watchAll(sources, () => this.messages.stale());
  }

  stop(): void {
    this.#off();
  }

  #work(): readonly ChatMessage[] {
    const { messages } = this.#room.history.get();
    const readUpTo = this.#readUpTo();
    const stored = messages.map((message) => this.#stored(message, readUpTo));
    const mine = this.#outbox.entries.get().filter((entry) => entry.conversation_id === this.#room.id);
    if (mine.length === 0) return stored;
    const known = new Set(messages.slice(-200).map((message) => message.client_message_id));
    const waiting = mine.filter((entry) => !known.has(entry.client_message_id));
    return [...stored, ...waiting.map((entry) => this.#waiting(entry))];
  }

  /** How far the one who has read most has read. */
  #readUpTo(): number {
    const others = [...this.#room.reads.get()].filter(([id]) => id !== this.#me);
    return Math.max(0, ...others.map(([, seq]) => seq));
  }

  #stored(message: Message, readUpTo: number): ChatMessage {
    const isMine = message.sender_id === this.#me;
    const status = isMine ? this.#statusOf(message, readUpTo) : 'delivered';
    const made = this.#made.get(message);
    if (made?.status === status) return made;
    const key = message.client_message_id ? `${message.sender_id} ${message.client_message_id}` : message.id;
    return this.#keep(message, { ...message, key, isMine, status, failure: null });
  }

  #statusOf(message: Message, readUpTo: number): MessageStatus {
    if (message.seq <= readUpTo) return 'read';
    return message.pos <= this.#room.pos ? 'delivered' : 'sent';
  }

  #waiting(entry: Entry): ChatMessage {
    const made = this.#made.get(entry);
    if (made) return made;
    const key = `${this.#me} ${entry.client_message_id}`;
    const status = entry.failure ? 'failed' : 'sending';
    return this.#keep(entry, {
      ...asMessage(entry, this.#me),
      key,
      isMine: true,
      status,
      failure: entry.failure,
    });
  }

  #keep(of: Message | Entry, made: ChatMessage): ChatMessage {
    this.#made.set(of, made);
    return made;
  }
}
