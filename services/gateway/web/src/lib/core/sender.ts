/**
 * Owns, in the leader, the sending of the outbox: of each conversation the oldest first, one under way at a time.
 * No answer means asking again with the same id, so nothing is lost and nothing is stored twice.
 */

import { backOff } from './backoff.ts';
import { watchAll } from './cell.ts';
import { failureOf, MessengerError } from './failure.ts';
import type { Line } from './line.ts';
import type { Entry, Outbox } from './outbox.ts';
import type { Command } from './wire.ts';

const ANSWER_MS = 10_000;
const SOON_MS = 100;

export class Sender {
  #line: Line;
  #outbox: Outbox;
  #busy = new Set<string>();
  #isStopped = false;
  #off: () => void;

  constructor(line: Line, outbox: Outbox) {
    this.#line = line;
    this.#outbox = outbox;
    this.#off = watchAll([line.state, outbox.entries, outbox.isLoaded], () => this.#kick());
  }

  stop(): void {
    this.#isStopped = true;
    this.#off();
  }

  get #canSend(): boolean {
    return (
      !this.#isStopped &&
      this.#outbox.isLoaded.get() &&
      this.#line.leads &&
      this.#line.state.get().phase === 'online'
    );
  }

  #kick(): void {
    if (!this.#canSend) return;
    const waiting = this.#outbox.entries.get().filter((entry) => entry.failure === null);
    for (const id of new Set(waiting.map((entry) => entry.conversation_id))) {
      if (!this.#busy.has(id)) void this.#drain(id);
    }
  }

  async #drain(conversationId: string): Promise<void> {
    this.#busy.add(conversationId);
    let attempt = 0;
    try {
      for (let entry = this.#next(conversationId); entry; entry = this.#next(conversationId)) {
        const wait = await this.#send(entry, attempt);
        attempt = wait === null ? 0 : attempt + 1;
        if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
      }
    } finally {
      this.#busy.delete(conversationId);
    }
  }

  #next(conversationId: string): Entry | undefined {
    if (!this.#canSend) return undefined;
    const isNext = (entry: Entry) => entry.conversation_id === conversationId && entry.failure === null;
    return this.#outbox.entries.get().find(isNext);
  }

  /** Null when the entry is settled, else how long to wait before the next try. */
  async #send(entry: Entry, attempt: number): Promise<number | null> {
    const { created_at: _, failure: __, ...fields } = entry;
    const command: Command = { type: 'message.send', ...fields };
    try {
      await this.#line.ask(command, ANSWER_MS);
      this.#outbox.remove(entry.client_message_id);
      return null;
    } catch (error) {
      if (error instanceof MessengerError && error.retryable) return this.#pause(error, attempt);
      this.#outbox.fail(entry, failureOf(error));
      return null;
    }
  }

  #pause(error: MessengerError, attempt: number): number {
    if (error.code === 'unanswered') this.#line.hint('check');
    // Both are about the socket: a new one sends at once.
    const isSocket = error.code === 'unanswered' || error.code === 'offline';
    return isSocket ? SOON_MS : backOff(attempt, error.retryAfterMs);
  }
}
