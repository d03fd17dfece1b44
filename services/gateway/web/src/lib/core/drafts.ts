/** Owns what was typed and not sent: kept with every key, so that no reload and no crash loses it. */

import { Cell, tellNow } from './cell.ts';

export class Drafts {
  #prefix: string;
  #cells = new Map<string, Cell<string>>();
  #ending = new AbortController();

  constructor(owner: string) {
    this.#prefix = `${owner} draft `;
    const heard = ({ key, newValue }: StorageEvent) => {
      if (key?.startsWith(this.#prefix)) this.#cells.get(key.slice(this.#prefix.length))?.set(newValue ?? '');
    };
    globalThis.window?.addEventListener('storage', heard, { signal: this.#ending.signal });
  }

  stop(): void {
    this.#ending.abort();
  }

  of(conversationId: string): Cell<string> {
    let cell = this.#cells.get(conversationId);
    if (!cell) {
      cell = new Cell(this.#read(conversationId));
      this.#cells.set(conversationId, cell);
    }
    return cell;
  }

  set(conversationId: string, text: string): void {
    this.of(conversationId).set(text);
    // A text box that is drawn from this has to have its own key now.
    tellNow();
    this.#write(conversationId, text);
  }

  /** The text box is empty at once; what is kept goes only when the outbox has it, and nothing was typed since. */
  sent(conversationId: string, text: string, kept: Promise<void>): void {
    this.of(conversationId).set('');
    tellNow();
    void kept.then(() => {
      if (this.#read(conversationId) === text) this.#write(conversationId, this.of(conversationId).get());
    });
  }

  #read(conversationId: string): string {
    try {
      return localStorage.getItem(this.#prefix + conversationId) ?? '';
    } catch {
      return '';
    }
  }

  #write(conversationId: string, text: string): void {
    try {
      if (text) localStorage.setItem(this.#prefix + conversationId, text);
      else localStorage.removeItem(this.#prefix + conversationId);
    } catch {
      // Full, or not to be had: it lives as long as the page.
    }
  }
}
