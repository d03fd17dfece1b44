/**
 * Keeps text that was typed and not sent. It is saved on every key press, so that no reload and no crash
 * loses it.
 */

import { flushListeners, Observable } from '../base/observable.ts';

export class Drafts {
  #prefix: string;
  #texts = new Map<string, Observable<string>>();
  /** By conversation id: sent texts that the outbox has not saved yet. Until then they stay in the draft. */
  #unsaved = new Map<string, { text: string }[]>();
  #ending = new AbortController();

  constructor(owner: string) {
    this.#prefix = `${owner} draft `;
    const changedElsewhere = ({ key, newValue }: StorageEvent) => {
      if (key?.startsWith(this.#prefix)) this.#texts.get(key.slice(this.#prefix.length))?.set(newValue ?? '');
    };
    globalThis.window?.addEventListener('storage', changedElsewhere, { signal: this.#ending.signal });
  }

  stop(): void {
    this.#ending.abort();
  }

  of(conversationId: string): Observable<string> {
    let text = this.#texts.get(conversationId);
    if (!text) {
      text = new Observable(this.#read(conversationId));
      this.#texts.set(conversationId, text);
    }
    return text;
  }

  set(conversationId: string, text: string): void {
    this.of(conversationId).set(text);
    // A controlled text box must be redrawn at once after a key press.
    flushListeners();
    this.#write(conversationId);
  }

  /**
   * Empties the text box at once. The text stays in the saved draft until `kept` resolves, when it cannot be
   * lost any more.
   */
  sent(conversationId: string, text: string, kept: Promise<void>): void {
    const sent = { text };
    this.#unsaved.set(conversationId, [...this.#unsavedOf(conversationId), sent]);
    this.of(conversationId).set('');
    flushListeners();
    this.#write(conversationId);
    void kept.then(() => {
      const others = this.#unsavedOf(conversationId).filter((each) => each !== sent);
      this.#unsaved.set(conversationId, others);
      this.#write(conversationId);
    });
  }

  #unsavedOf(conversationId: string): { text: string }[] {
    return this.#unsaved.get(conversationId) ?? [];
  }

  #read(conversationId: string): string {
    try {
      return localStorage.getItem(this.#prefix + conversationId) ?? '';
    } catch {
      return '';
    }
  }

  #write(conversationId: string): void {
    const typed = this.of(conversationId).get();
    const texts = [...this.#unsavedOf(conversationId).map((each) => each.text), typed].filter(Boolean);
    try {
      if (texts.length) localStorage.setItem(this.#prefix + conversationId, texts.join('\n'));
      else localStorage.removeItem(this.#prefix + conversationId);
    } catch {
      // The storage is full or not available. The text lives as long as the page.
    }
  }
}
