/** Holds the commands that wait for an answer, by `ref`, each with a deadline. */

import { errorFromFrame, type MessengerError, tooLongError, unansweredError } from '../contract/failure.ts';
import type { AnswerFrame, Frame } from '../contract/wire.ts';

interface PendingCommand {
  on: WebSocket;
  /** The length of the command's text. */
  size: number;
  resolve: (frame: AnswerFrame) => void;
  reject: (error: MessengerError) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class PendingCommands {
  #waiting = new Map<string, PendingCommand>();
  #count = 0;

  newRef(): string {
    this.#count += 1;
    return `c${this.#count}`;
  }

  wait(ref: string, on: WebSocket, limitMs: number, size: number): Promise<AnswerFrame> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#drop(ref, unansweredError(`No answer within ${limitMs} ms`)),
        limitMs,
      );
      this.#waiting.set(ref, { on, size, resolve, reject, timer });
    });
  }

  /** Settles the command that `frame` answers, if there is one. */
  receive(frame: Frame): void {
    const ref = 'ref' in frame ? frame.ref : undefined;
    const command = ref === undefined ? undefined : this.#waiting.get(ref);
    if (ref === undefined || !command) return;
    this.#waiting.delete(ref);
    clearTimeout(command.timer);
    if (frame.type === 'error') command.reject(errorFromFrame(frame));
    else command.resolve(frame as AnswerFrame);
  }

  /** The socket has ended: its commands get no answer any more, so they fail. */
  socketClosed(socket: WebSocket): void {
    for (const [ref, command] of [...this.#waiting])
      if (command.on === socket) this.#drop(ref, unansweredError('The socket closed first'));
  }

  /**
   * A frame on the socket was too large. The largest pending command fails for good, because sending it again
   * would end the next socket too.
   */
  frameTooLarge(socket: WebSocket): void {
    const asked = [...this.#waiting].filter(([, command]) => command.on === socket);
    const largest = asked.sort(([, a], [, b]) => b.size - a.size)[0];
    if (largest)
      this.#drop(largest[0], tooLongError('A frame was too large for the server, or for a proxy before it'));
  }

  #drop(ref: string, why: MessengerError): void {
    const command = this.#waiting.get(ref);
    if (!command) return;
    this.#waiting.delete(ref);
    clearTimeout(command.timer);
    command.reject(why);
  }
}
