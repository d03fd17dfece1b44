/**
 * Joins the tabs of a browser into a group with a leader and a shared channel. Where a browser has no locks
 * or no channel, or refuses them, every tab is its own leader.
 */

import { newId } from '../base/ids.ts';
import { EventEmitter, Observable } from '../base/observable.ts';
import { LeaderElection, type TabRole } from './leaderElection.ts';
import { LeaderMonitor } from './leaderMonitor.ts';

export interface Envelope<T> {
  from: string;
  to: string | null;
  body: T;
}

export interface TabGroup<T> {
  readonly id: string;
  readonly isLeader: Observable<boolean>;
  readonly received: EventEmitter<Envelope<T>>;
  /**
   * Whether a leader can be sure that it still leads. A leader that was stopped for a while has to call
   * `confirm`.
   */
  readonly isConfirmed: boolean;
  confirm(): Promise<boolean>;
  /** Sends to one tab, or to all others. */
  post(body: T, to?: string): void;
  /** Calls `gone` when that tab has ended, for whatever reason. */
  watch(tab: string, gone: () => void): void;
  stop(): void;
}

export function joinTabGroup<T>(name: string): TabGroup<T> {
  try {
    const has = globalThis.navigator?.locks !== undefined && globalThis.BroadcastChannel !== undefined;
    return has ? new BrowserTabGroup<T>(name) : new SingleTab<T>();
  } catch {
    // A browser that blocks a site's data throws at the first access.
    return new SingleTab<T>();
  }
}

class SingleTab<T> implements TabGroup<T> {
  readonly id = newId();
  readonly isLeader = new Observable(true);
  readonly received = new EventEmitter<Envelope<T>>();
  readonly isConfirmed = true;
  async confirm(): Promise<boolean> {
    return true;
  }
  post(): void {}
  watch(): void {}
  stop(): void {}
}

/** A sign of life between tabs: a follower asks for it, and the leader gives it. */
type Sign = { from: string; sign: 'ask' | 'give' };

class BrowserTabGroup<T> implements TabGroup<T> {
  readonly id = newId();
  readonly isLeader = new Observable(false);
  readonly received = new EventEmitter<Envelope<T>>();
  #name: string;
  #channel: BroadcastChannel;
  #election: LeaderElection;
  #monitor: LeaderMonitor;
  #off: () => void;
  #ending = new AbortController();
  #watched = new Set<string>();
  /** This tab was replaced as the leader, and has not heard from any tab since. */
  #isCutOff = false;

  constructor(name: string) {
    this.#name = name;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event: MessageEvent<Envelope<T> | Sign>) => this.#received(event.data);
    // This tab holds the lock as long as it lives. A tab that waits for it learns of its end, also after a
    // crash.
    this.#request(`${name}:tab:${this.id}`, () => this.#untilStopped());
    this.#monitor = new LeaderMonitor({
      askLeader: () => this.#send({ from: this.id, sign: 'ask' }),
      onSilence: () => this.#leaderSilent(),
    });
    this.#election = new LeaderElection(`${name}:leader`, `${name}:tab:${this.id}`);
    this.#off = this.#election.role.watch((role) => this.#setRole(role));
    this.#setRole(this.#election.role.get());
    this.#isCutOff = false;
    this.#watchFreezing();
  }

  get isConfirmed(): boolean {
    return this.#election.role.get() === 'alone' || this.#monitor.isConfirmed;
  }

  async confirm(): Promise<boolean> {
    const leads = await this.#election.confirm();
    if (leads) this.#monitor.confirmed();
    return leads;
  }

  post(body: T, to?: string): void {
    this.#send({ from: this.id, to: to ?? null, body });
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
    this.#off();
    this.#ending.abort();
    this.#monitor.stop();
    this.#election.stop();
    this.#channel.close();
    this.isLeader.set(false);
  }

  /** A frozen page may still answer messages, but has no timers, so it cannot lead. */
  #watchFreezing(): void {
    const { signal } = this.#ending;
    const page = globalThis.document;
    page?.addEventListener('freeze', () => this.#election.pause(), { signal });
    page?.addEventListener('resume', () => this.#election.resume(), { signal });
    globalThis.window?.addEventListener('pageshow', () => this.#election.resume(), { signal });
  }

  #setRole(role: TabRole): void {
    if (role === 'leads') this.#monitor.lead();
    else if (role === 'follows') this.#follow();
    else this.#leadAlone();
    this.isLeader.set(role !== 'follows');
  }

  #follow(): void {
    this.#isCutOff = true;
    this.#monitor.follow();
  }

  #leadAlone(): void {
    this.#monitor.stop();
    this.#channel.close();
  }

  /**
   * Tabs that cannot hear each other would steal the lock from each other for ever. So a tab that is cut off
   * leads alone.
   */
  #leaderSilent(): void {
    if (this.#isCutOff) this.#election.leadAlone();
    else void this.#election.steal();
  }

  #received(data: Envelope<T> | Sign): void {
    this.#isCutOff = false;
    if ('sign' in data) return this.#receivedSign(data);
    if (data.to === null || data.to === this.id) this.received.emit(data);
  }

  #receivedSign({ sign }: Sign): void {
    if (sign === 'give') {
      this.#monitor.leaderAnswered();
    } else if (this.#election.role.get() === 'leads' && this.isConfirmed) {
      this.#send({ from: this.id, sign: 'give' });
    } else if (this.#election.role.get() === 'leads') {
      void this.confirm();
    }
  }

  #send(data: Envelope<T> | Sign): void {
    try {
      this.#channel.postMessage(data);
    } catch {
      // A closed or broken channel is treated like one without listeners.
    }
  }

  #untilStopped(): Promise<void> {
    return new Promise((resolve) => this.#ending.signal.addEventListener('abort', () => resolve()));
  }

  #request(name: string, granted: () => Promise<void>): void {
    const { signal } = this.#ending;
    // The request fails if the tab ends or has no locks. Then nobody waits for it.
    const ignore = () => undefined;
    const attempt = async () =>
      navigator.locks.request(name, { signal }, () => (signal.aborted ? undefined : granted()));
    attempt().catch(ignore);
  }
}
