/**
 * Sends the user's reactions. A reaction is visible at once, and sent when there is a connection. For each emoji of
 * a message one command is under way at a time; if the user changes their mind meanwhile, the last wish is sent
 * then. A refused reaction is taken back, and says why.
 *
 * Wishes are kept in memory only, at most MAX_WISHES of them: a reaction is not worth a place beside unsent messages.
 */

import { BackOff } from '../base/backoff.ts';
import { flushListeners } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { type Failure, MessengerError, offlineError, toFailure } from '../contract/failure.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import { emojiKey } from './reactions.ts';
import type { Room } from './room.ts';

const MAX_WISHES = 100;
/** A wish is given up after this many failures while there is a connection. */
const MAX_FAILURES = 5;

interface Wish {
  room: Room;
  messageId: string;
  emoji: string;
  on: boolean;
  isSending: boolean;
  failures: number;
  backOff: BackOff;
}

export class Reacting {
  #connection: SharedConnection;
  #wishes = new Map<string, Wish>();
  #timers = new Timers<string>();
  #off: () => void;

  constructor(connection: SharedConnection) {
    this.#connection = connection;
    this.#off = connection.state.watch((state) => state.phase === 'online' && this.#sendAll());
  }

  stop(): void {
    this.#off();
    this.#timers.stopAll();
  }

  /** Sets or removes the user's reaction. How it goes is seen in the message's reactions. */
  set(room: Room, messageId: string, emoji: string, on: boolean): void {
    const key = `${messageId} ${emojiKey(emoji)}`;
    const wish = this.#wishes.get(key) ?? newWish(room, messageId, emoji);
    if (!this.#wishes.has(key) && this.#wishes.size >= MAX_WISHES)
      return room.reactions.setFailure(messageId, toFailure(offlineError()));
    this.#wishes.set(key, wish);
    wish.on = on;
    wish.failures = 0;
    room.reactions.wish(messageId, emoji, on);
    if (!wish.isSending) this.#sendUnlessSo(key, wish);
    flushListeners();
  }

  #sendAll(): void {
    for (const [key, wish] of [...this.#wishes]) void this.#send(key, wish);
  }

  /** Two presses while offline need no command. */
  #sendUnlessSo(key: string, wish: Wish): void {
    if (wish.room.reactions.isMine(wish.messageId, wish.emoji) === wish.on) this.#settle(key, wish, null);
    else void this.#send(key, wish);
  }

  async #send(key: string, wish: Wish): Promise<void> {
    if (wish.isSending || this.#connection.state.get().phase !== 'online') return;
    this.#timers.stop(key);
    wish.isSending = true;
    const { messageId: message_id, emoji, on } = wish;
    try {
      await this.#connection.ask({ type: 'reaction.set', message_id, emoji, on });
      wish.isSending = false;
      this.#granted(key, wish, on);
    } catch (error) {
      wish.isSending = false;
      this.#failed(key, wish, on, error);
    }
  }

  #granted(key: string, wish: Wish, on: boolean): void {
    wish.backOff.reset();
    if (wish.on === on) return this.#settle(key, wish, on);
    wish.room.reactions.confirm(wish.messageId, wish.emoji, on);
    void this.#send(key, wish);
  }

  #failed(key: string, wish: Wish, on: boolean, error: unknown): void {
    const failure = toFailure(error);
    const isTemporary = error instanceof MessengerError && error.retryable;
    if (isTemporary && this.#connection.state.get().phase !== 'online') return;
    wish.failures += 1;
    if (isTemporary && wish.failures < MAX_FAILURES) return this.#sendLater(key, wish, failure);
    if (wish.on !== on) return this.#sendUnlessSo(key, wish);
    this.#settle(key, wish, null);
    wish.room.reactions.setFailure(wish.messageId, failure);
  }

  #sendLater(key: string, wish: Wish, failure: Failure): void {
    this.#timers.start(key, wish.backOff.next(failure.retryAfterMs), () => void this.#send(key, wish));
  }

  #settle(key: string, wish: Wish, granted: boolean | null): void {
    this.#timers.stop(key);
    this.#wishes.delete(key);
    wish.room.reactions.settle(wish.messageId, wish.emoji, granted);
  }
}

const newWish = (room: Room, messageId: string, emoji: string): Wish => ({
  room,
  messageId,
  emoji,
  on: false,
  isSending: false,
  failures: 0,
  backOff: new BackOff(),
});
