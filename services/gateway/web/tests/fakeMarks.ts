/** The reactions and pins of the gateway in memory. */

import type { HistoryMessage, Message, Pin } from '../src/lib/core/contract/wire.ts';
import type { Json } from './fakeSocket.ts';

export interface Change {
  user_id: number;
  emoji: string;
  on: boolean;
}

/** What the marks need of the gateway. */
interface Events {
  conversation: string;
  nextPos(): number;
  publish(frame: Json): void;
}

const ME = 1;
const NAMED = 3;

export class FakeMarks {
  #gateway: Events;
  /** By message id and emoji: who reacted, in order. */
  #users = new Map<string, Map<string, number[]>>();
  #reacted = new Map<string, number>();
  pinned: string[] = [];
  #pinnedAt = 0;

  constructor(gateway: Events) {
    this.#gateway = gateway;
  }

  /** Stores these reactions as one change, and sends the event if anything is new. */
  react(message_id: string, changes: Change[], named = changes): void {
    if (!changes.filter((change) => this.#apply(message_id, change)).length) return;
    const pos = this.#gateway.nextPos();
    this.#reacted.set(message_id, pos);
    this.#gateway.publish({ ...this.#reactionsFrame(message_id, pos), changes: named });
  }

  counts(messageId: string) {
    return [...(this.#users.get(messageId) ?? [])].map(([emoji, users]) => ({
      emoji,
      count: users.length,
      user_ids: users.slice(0, NAMED),
    }));
  }

  mine(messageId: string): string[] {
    const all = [...(this.#users.get(messageId) ?? [])];
    return all.filter(([, users]) => users.includes(ME)).map(([emoji]) => emoji);
  }

  /** The message as a page has it. */
  read(message: Message): HistoryMessage {
    const mine = this.mine(message.id);
    const reactions = this.counts(message.id).map((row) => ({ ...row, mine: mine.includes(row.emoji) }));
    return reactions.length > 0 ? { ...message, reactions } : message;
  }

  pin(messageId: string, on: boolean, user_id = ME): void {
    if (this.pinned.includes(messageId) === on) return;
    const others = this.pinned.filter((id) => id !== messageId);
    this.pinned = on ? [messageId, ...others] : others;
    this.#pinnedAt = this.#gateway.nextPos();
    this.#gateway.publish(this.#pinsFrame(this.#pinnedAt, user_id));
  }

  pins(messages: Message[]): Pin[] {
    return this.pinned.flatMap((id) => {
      const message = messages.find((each) => each.id === id);
      return message ? [{ user_id: 2, pinned_at: message.created_at, message: this.read(message) }] : [];
    });
  }

  /** The latest states since `from`, as a replay has them. */
  replayed(from: number): Json[] {
    const reacted = [...this.#reacted].filter(([, pos]) => pos > from);
    const frames = reacted.map(([id, pos]) => this.#reactionsFrame(id, pos));
    const pins = this.#pinnedAt > from ? [this.#pinsFrame(this.#pinnedAt, 2)] : [];
    return [...frames, ...pins].map((frame) => ({ ...frame, replay: true }));
  }

  #apply(messageId: string, { user_id, emoji, on }: Change): boolean {
    const users = this.#users.get(messageId) ?? new Map<string, number[]>();
    this.#users.set(messageId, users);
    const before = users.get(emoji) ?? [];
    if (before.includes(user_id) === on) return false;
    const after = on ? [...before, user_id] : before.filter((id) => id !== user_id);
    if (after.length > 0) users.set(emoji, after);
    else users.delete(emoji);
    return true;
  }

  #reactionsFrame(message_id: string, pos: number): Json {
    const conversation_id = this.#gateway.conversation;
    return { type: 'message.reactions', conversation_id, message_id, pos, counts: this.counts(message_id) };
  }

  #pinsFrame(pos: number, user_id: number): Json {
    const conversation_id = this.#gateway.conversation;
    return { type: 'conversation.pins', conversation_id, pos, message_ids: this.pinned, user_id };
  }
}
