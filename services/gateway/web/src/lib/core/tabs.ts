/**
 * Owns who of a browser's tabs leads, and how they talk: a lock that one tab holds, and a channel that all hear.
 * Where a browser has neither (a page that isn't secure), every tab is a leader of its own.
 */

import { Cell, Happening } from './cell.ts';
import { newId } from './ids.ts';

export interface Post<T> {
  from: string;
  to: string | null;
  body: T;
}

export interface Tabs<T> {
  readonly id: string;
  readonly leads: Cell<boolean>;
  readonly heard: Happening<Post<T>>;
  /** To one tab, or to all others. */
  post(body: T, to?: string): void;
  /** Calls `gone` when that tab has ended, however it did. */
  watch(tab: string, gone: () => void): void;
  stop(): void;
}

export function joinTabs<T>(name: string): Tabs<T> {
  const has = globalThis.navigator?.locks !== undefined && globalThis.BroadcastChannel !== undefined;
  return has ? new BrowserTabs<T>(name) : new OneTab<T>();
}

class OneTab<T> implements Tabs<T> {
  readonly id = newId();
  readonly leads = new Cell(true);
  readonly heard = new Happening<Post<T>>();
  post(): void {}
  watch(): void {}
  stop(): void {}
}

class BrowserTabs<T> implements Tabs<T> {
  readonly id = newId();
  readonly leads = new Cell(false);
  readonly heard = new Happening<Post<T>>();
  #name: string;
  #channel: BroadcastChannel;
  #ending = new AbortController();
  #watched = new Set<string>();

  constructor(name: string) {
    this.#name = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event: MessageEvent<Post<T>>) => {
      const { to } = event.data;
      if (to === null || to === this.id) this.heard.tell(event.data);
    };
    // Held as long as this tab lives: whoever waits for it learns of the end, a crash included.
    this.#hold(`${name}:tab:${this.id}`, () => undefined);
    this.#hold(`${name}:leader`, () => this.leads.set(true));
  }

  post(body: T, to?: string): void {
    this.#channel.postMessage({ from: this.id, to: to ?? null, body } satisfies Post<T>);
  }

  watch(tab: string, gone: () => void): void {
    if (this.#watched.has(tab)) return;
    this.#watched.add(tab);
    const tell = async () => {
      this.#watched.delete(tab);
      gone();
    };
    this.#request(`${this.#name}:tab:${tab}`, tell);
  }

  stop(): void {
    this.#ending.abort();
    this.#channel.close();
    this.leads.set(false);
  }

  #hold(name: string, got: () => void): void {
    this.#request(name, () => {
      got();
      return new Promise<void>((resolve) => {
        if (this.#ending.signal.aborted) resolve();
        this.#ending.signal.addEventListener('abort', () => resolve());
      });
    });
  }

  #request(name: string, granted: () => Promise<void>): void {
    const { signal } = this.#ending;
    const ignore = () => undefined; // The tab ends, and with it the wait.
    navigator.locks.request(name, { signal }, () => (signal.aborted ? undefined : granted())).catch(ignore);
  }
}
