/**
 * Sends the outbox, in the leader only: for each conversation one entry at a time, the oldest first. Without
 * an answer it sends the entry again with the same id, so nothing is lost and nothing is stored twice. An
 * entry that can never succeed is marked as failed with its reason, and the next one is sent. An entry that waits for
 * its uploads holds nobody up.
 */

import { BackOff } from '../base/backoff.ts';
import { watchAll } from '../base/observable.ts';
import { MessengerError, toFailure } from '../contract/failure.ts';
import type { Command } from '../contract/wire.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import { isDue, type Outbox, type OutboxEntry } from './outbox.ts';

const ANSWER_TIMEOUT_MS = 10_000;
const RESEND_MS = 100;
const PING_TIMEOUT_MS = 5_000;
/** An entry is given up after this many sends without an answer, while the gateway answers other commands. */
const MAX_UNANSWERED = 3;
/** An entry is given up after this many internal errors of the gateway, which takes a minute or two. */
const MAX_INTERNAL_ERRORS = 10;

export class Sender {
  #connection: SharedConnection;
  #outbox: Outbox;
  #busy = new Set<string>();
  /** By entry id: the number of failures that the entry itself may have caused. */
  #failureCounts = new Map<string, number>();
  #isStopped = false;
  #off: () => void;

  constructor(connection: SharedConnection, outbox: Outbox) {
    this.#connection = connection;
    this.#outbox = outbox;
    this.#off = watchAll([connection.state, outbox.entries, outbox.isLoaded], () => this.#sendWaiting());
  }

  stop(): void {
    this.#isStopped = true;
    this.#off();
  }

  get #canSend(): boolean {
    return (
      !this.#isStopped &&
      this.#outbox.isLoaded.get() &&
      this.#connection.isLeader &&
      this.#connection.state.get().phase === 'online'
    );
  }

  #sendWaiting(): void {
    if (!this.#canSend) return;
    const waiting = this.#outbox.entries.get().filter(isDue);
    for (const id of new Set(waiting.map((entry) => entry.conversation_id))) {
      if (!this.#busy.has(id)) void this.#sendAll(id);
    }
  }

  async #sendAll(conversationId: string): Promise<void> {
    this.#busy.add(conversationId);
    const backOff = new BackOff();
    try {
      for (let entry = this.#next(conversationId); entry; entry = this.#next(conversationId)) {
        const wait = await this.#send(entry, backOff);
        if (wait === null) backOff.reset();
        if (wait) await new Promise((resolve) => setTimeout(resolve, wait));
      }
    } finally {
      this.#busy.delete(conversationId);
    }
  }

  #next(conversationId: string): OutboxEntry | undefined {
    if (!this.#canSend) return undefined;
    const isNext = (entry: OutboxEntry) => entry.conversation_id === conversationId && isDue(entry);
    return this.#outbox.entries.get().find(isNext);
  }

  /** Returns null when the entry is settled, otherwise the delay in ms before the next try. */
  async #send(entry: OutboxEntry, backOff: BackOff): Promise<number | null> {
    const { created_at: _, failure: __, uploads: ___, attachments, ...fields } = entry;
    const files = attachments ? { attachments: attachments.map((file) => file.file_id) } : {};
    const command: Command = { type: 'message.send', ...fields, ...files };
    try {
      await this.#connection.ask(command, ANSWER_TIMEOUT_MS);
      this.#failureCounts.delete(entry.client_message_id);
      this.#outbox.remove(entry.client_message_id);
      return null;
    } catch (error) {
      const isTemporary = error instanceof MessengerError && error.retryable;
      if (isTemporary && !(await this.#isToBeGivenUp(entry, error))) return this.#retryDelay(error, backOff);
      this.#failureCounts.delete(entry.client_message_id);
      this.#outbox.fail(entry, toFailure(error));
      return null;
    }
  }

  /** Whether this entry keeps failing while everything else works. */
  async #isToBeGivenUp(entry: OutboxEntry, { code }: MessengerError): Promise<boolean> {
    if (code === 'internal') return this.#countFailure(entry) >= MAX_INTERNAL_ERRORS;
    if (code !== 'unanswered') return false;
    return (await this.#isSocketAlive()) && this.#countFailure(entry) >= MAX_UNANSWERED;
  }

  #countFailure({ client_message_id: id }: OutboxEntry): number {
    const times = (this.#failureCounts.get(id) ?? 0) + 1;
    this.#failureCounts.set(id, times);
    return times;
  }

  /**
   * Finds out whether the socket still answers. If it does not, the entry is not to blame, and `check` ends
   * the socket.
   */
  async #isSocketAlive(): Promise<boolean> {
    this.#connection.hint('check');
    return this.#connection.ask({ type: 'ping' }, PING_TIMEOUT_MS).then(
      () => true,
      () => false,
    );
  }

  #retryDelay(error: MessengerError, backOff: BackOff): number {
    // Both codes are about the socket. A new socket sends at once.
    const isSocket = error.code === 'unanswered' || error.code === 'offline';
    return isSocket ? RESEND_MS : backOff.next(error.retryAfterMs);
  }
}
