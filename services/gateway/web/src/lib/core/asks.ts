/** Owns commands that wait for their answer: which `ref` is whose, and until when. */

import { errorOf, type MessengerError, unanswered } from './failure.ts';
import type { AnswerFrame, Frame } from './wire.ts';

interface Ask {
  on: WebSocket;
  resolve: (frame: AnswerFrame) => void;
  reject: (error: MessengerError) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Asks {
  #waiting = new Map<string, Ask>();
  #count = 0;

  newRef(): string {
    this.#count += 1;
    return `c${this.#count}`;
  }

  wait(ref: string, on: WebSocket, limitMs: number): Promise<AnswerFrame> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#drop(ref, `No answer within ${limitMs} ms`), limitMs);
      this.#waiting.set(ref, { on, resolve, reject, timer });
    });
  }

  /** The answer to a command, if `frame` is one. */
  hear(frame: Frame): void {
    const ref = 'ref' in frame ? frame.ref : undefined;
    const ask = ref === undefined ? undefined : this.#waiting.get(ref);
    if (ref === undefined || !ask) return;
    this.#waiting.delete(ref);
    clearTimeout(ask.timer);
    if (frame.type === 'error') ask.reject(errorOf(frame));
    else ask.resolve(frame as AnswerFrame);
  }

  /** The socket has ended: what was asked on it gets no answer any more. */
  ended(socket: WebSocket): void {
    for (const [ref, ask] of [...this.#waiting])
      if (ask.on === socket) this.#drop(ref, 'The socket closed first');
  }

  #drop(ref: string, why: string): void {
    const ask = this.#waiting.get(ref);
    if (!ask) return;
    this.#waiting.delete(ref);
    clearTimeout(ask.timer);
    ask.reject(unanswered(why));
  }
}
