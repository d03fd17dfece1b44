/** Owns what tabs of one browser share, in memory: Web Locks and BroadcastChannel, as far as they are used. */

import { vi } from 'vitest';

type Granted = () => Promise<void> | undefined;

class FakeLocks {
  #held = new Set<string>();
  #queues = new Map<string, { granted: Granted; signal: AbortSignal; done: (value?: unknown) => void }[]>();

  request(name: string, { signal }: { signal: AbortSignal }, granted: Granted): Promise<unknown> {
    return new Promise((done) => {
      const queue = this.#queues.get(name) ?? [];
      this.#queues.set(name, [...queue, { granted, signal, done }]);
      void this.#next(name);
    });
  }

  async #next(name: string): Promise<void> {
    if (this.#held.has(name)) return;
    const [first, ...rest] = this.#queues.get(name) ?? [];
    this.#queues.set(name, rest);
    if (!first) return;
    this.#held.add(name);
    if (!first.signal.aborted) await first.granted();
    this.#held.delete(name);
    first.done();
    void this.#next(name);
  }
}

class FakeChannel {
  static all = new Set<FakeChannel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;
  #name: string;

  constructor(name: string) {
    this.#name = name;
    FakeChannel.all.add(this);
  }

  postMessage(data: unknown): void {
    const copy = structuredClone(data);
    for (const other of FakeChannel.all) {
      if (other !== this && other.#name === this.#name) {
        setTimeout(() => FakeChannel.all.has(other) && other.onmessage?.({ data: copy }), 1);
      }
    }
  }

  close(): void {
    FakeChannel.all.delete(this);
  }
}

export function installBrowser(): void {
  FakeChannel.all.clear();
  vi.stubGlobal('navigator', { locks: new FakeLocks() });
  vi.stubGlobal('BroadcastChannel', FakeChannel);
}
