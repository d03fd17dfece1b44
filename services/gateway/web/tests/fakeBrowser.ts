/**
 * Fakes what the tabs of one browser share, in memory: Web Locks and BroadcastChannel, as far as the client
 * uses them.
 */

import { vi } from 'vitest';

type Granted = () => Promise<void> | undefined;
type Options = { signal?: AbortSignal; steal?: boolean };

interface Request {
  client: string;
  granted: Granted;
  signal: AbortSignal | undefined;
  done: (value?: unknown) => void;
  failed: (error: Error) => void;
}

class FakeLocks {
  #held = new Map<string, Request>();
  #queues = new Map<string, Request[]>();

  request(client: string, name: string, options: Options, granted: Granted): Promise<unknown> {
    return new Promise((done, failed) => {
      const request = { client, granted, signal: options.signal, done, failed };
      if (options.steal) return this.#steal(name, request);
      this.#queues.set(name, [...(this.#queues.get(name) ?? []), request]);
      if (!this.#held.has(name)) this.#next(name);
    });
  }

  query() {
    const held = [...this.#held].map(([name, { client }]) => ({ name, clientId: client, mode: 'exclusive' }));
    return Promise.resolve({ held, pending: [] });
  }

  #steal(name: string, request: Request): void {
    const holder = this.#held.get(name);
    holder?.failed(new DOMException('Lock broken by another request with the steal option', 'AbortError'));
    void this.#hold(name, request);
  }

  #next(name: string): void {
    const [first, ...rest] = this.#queues.get(name) ?? [];
    this.#queues.set(name, rest);
    if (first) void this.#hold(name, first);
  }

  async #hold(name: string, request: Request): Promise<void> {
    this.#held.set(name, request);
    if (!request.signal?.aborted) await request.granted();
    request.done();
    if (this.#held.get(name) !== request) return;
    this.#held.delete(name);
    this.#next(name);
  }
}

class FakeChannel {
  static all = new Set<FakeChannel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;
  /** The messages that arrived while the page was stopped. Null while it runs. */
  pausedMessages: unknown[] | null = null;
  #name: string;
  #unsent: unknown[] = [];

  constructor(name: string) {
    this.#name = name;
    FakeChannel.all.add(this);
  }

  postMessage(data: unknown): void {
    const copy = structuredClone(data);
    if (this.pausedMessages) {
      this.#unsent.push(copy);
      return;
    }
    for (const other of FakeChannel.all) {
      if (other !== this && other.#name === this.#name) setTimeout(() => other.#receive(copy), 1);
    }
  }

  resume(): void {
    const paused = this.pausedMessages ?? [];
    this.pausedMessages = null;
    for (const data of paused) this.#receive(data);
    for (const data of this.#unsent.splice(0)) this.postMessage(data);
  }

  close(): void {
    FakeChannel.all.delete(this);
  }

  #receive(data: unknown): void {
    if (this.pausedMessages) this.pausedMessages.push(data);
    else if (FakeChannel.all.has(this)) this.onmessage?.({ data });
  }
}

export interface FakeBrowser {
  /** Everything that follows is done by this tab. */
  actAsTab: (tab: string) => void;
  /** The channel that was made last. */
  channel: () => FakeChannel;
  locks: FakeLocks;
}

export function installBrowser(): FakeBrowser {
  FakeChannel.all.clear();
  const locks = new FakeLocks();
  const actAsTab = (tab: string) =>
    vi.stubGlobal('navigator', {
      locks: {
        request: (name: string, options: Options, granted: Granted) =>
          locks.request(tab, name, options, granted),
        query: () => locks.query(),
      },
    });
  actAsTab('tab');
  vi.stubGlobal('BroadcastChannel', FakeChannel);
  return { actAsTab, locks, channel: () => [...FakeChannel.all].at(-1) as FakeChannel };
}
