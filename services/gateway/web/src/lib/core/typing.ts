/** Owns telling the others that somebody types: now and then while keys come, and once that they don't any more. */

import type { Line } from './line.ts';
import { Timers } from './timers.ts';

/** Said again before the others let it run out (6 s). */
const AGAIN_MS = 3_000;
const PAUSE_MS = 4_000;

export class Typing {
  #line: Line;
  #said = new Map<string, number>();
  #timers = new Timers<string>();

  constructor(line: Line) {
    this.#line = line;
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** A key was pressed. */
  went(conversationId: string): void {
    this.#timers.start(conversationId, PAUSE_MS, () => this.stopped(conversationId));
    if (Date.now() - (this.#said.get(conversationId) ?? 0) < AGAIN_MS) return;
    this.#said.set(conversationId, Date.now());
    this.#tell('typing.start', conversationId);
  }

  /** The text was sent or given up. */
  stopped(conversationId: string): void {
    this.#timers.stop(conversationId);
    if (this.#said.delete(conversationId)) this.#tell('typing.stop', conversationId);
  }

  #tell(type: 'typing.start' | 'typing.stop', conversationId: string): void {
    // Nobody misses it: it is never stored, and runs out by itself.
    this.#line.ask({ type, conversation_id: conversationId }).catch(() => undefined);
  }
}
