/**
 * Tells the other members that the user is typing: repeatedly while keys are pressed, and once when the user
 * stops.
 */

import { Timers } from '../base/timers.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';

/** The report is repeated before it expires for the others (6 s). */
const REPEAT_MS = 3_000;
const STOP_AFTER_MS = 4_000;

export class TypingReporter {
  #connection: SharedConnection;
  #reported = new Set<string>();
  #timers = new Timers<`pause ${string}` | `again ${string}`>();

  constructor(connection: SharedConnection) {
    this.#connection = connection;
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** Call on every key press. */
  keyPressed(conversationId: string): void {
    this.#timers.start(`pause ${conversationId}`, STOP_AFTER_MS, () => this.stopped(conversationId));
    if (this.#timers.has(`again ${conversationId}`)) return;
    this.#timers.start(`again ${conversationId}`, REPEAT_MS, () => undefined);
    this.#reported.add(conversationId);
    this.#report('typing.start', conversationId);
  }

  /** Call when the text was sent or discarded. */
  stopped(conversationId: string): void {
    this.#timers.stop(`pause ${conversationId}`);
    this.#timers.stop(`again ${conversationId}`);
    if (this.#reported.delete(conversationId)) this.#report('typing.stop', conversationId);
  }

  #report(type: 'typing.start' | 'typing.stop', conversationId: string): void {
    // Failures are ignored: a typing report is never stored and expires by itself.
    this.#connection.ask({ type, conversation_id: conversationId }).catch(() => undefined);
  }
}
