/**
 * Holds the newest states of files that events told. A message's own `pos` does not change with its files, so a page of
 * messages that was requested before such an event has older states.
 */

import type { Attachment, FilesFrame, Message } from '../contract/wire.ts';

const MAX_MESSAGES = 500;

export class Attachments {
  /** By message id. The latest change comes last. */
  #states = new Map<string, { pos: number; attachments: Attachment[] }>();

  /** Returns whether the event tells something new. */
  apply({ message_id: id, pos, attachments }: FilesFrame): boolean {
    if ((this.#states.get(id)?.pos ?? 0) >= pos) return false;
    this.#states.delete(id);
    this.#states.set(id, { pos, attachments });
    const oldest = this.#states.keys().next().value;
    if (this.#states.size > MAX_MESSAGES && oldest !== undefined) this.#states.delete(oldest);
    return true;
  }

  /** The message with the states that events after `pos` told. */
  latest<T extends Message>(message: T, pos: number): T {
    const state = this.#states.get(message.id);
    if (!state || state.pos <= pos || message.deleted_at) return message;
    return { ...message, attachments: state.attachments };
  }
}
