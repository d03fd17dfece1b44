/**
 * Elects the leader of a browser's tabs with a Web Lock: the tab that holds the lock is the leader, and the
 * others wait for it. A tab that finds the leader dead steals the lock. If the browser refuses locks, each
 * tab leads itself.
 */

import { withDeadline } from '../base/deadline.ts';
import { Observable } from '../base/observable.ts';

/** `alone` means that the browser refuses locks, so no tab can know of another leader. */
export type TabRole = 'follows' | 'leads' | 'alone';

const QUERY_TIMEOUT_MS = 1_000;
const EMPTY_SNAPSHOT: LockManagerSnapshot = {};
const timeoutError = () => new Error('The browser does not tell who holds its locks');

export class LeaderElection {
  readonly role = new Observable<TabRole>('follows');
  #locks = navigator.locks;
  #name: string;
  #tab: string;
  /** Lasts from joining the election until `stop` or `pause`. */
  #term = new AbortController();
  #isStealing = false;

  /** `tab` is the name of a lock that this tab holds as long as it lives. */
  constructor(name: string, tab: string) {
    this.#name = name;
    this.#tab = tab;
    void this.#joinQueue();
  }

  stop(): void {
    this.#term.abort();
    this.role.set('follows');
  }

  /** The browser is about to freeze the page. This tab leaves the queue, and another one may lead. */
  pause(): void {
    if (this.role.get() !== 'alone') this.stop();
  }

  /** The page runs again, so this tab joins the queue again. */
  resume(): void {
    if (this.role.get() === 'alone' || !this.#term.signal.aborted) return;
    this.#term = new AbortController();
    void this.#joinQueue();
  }

  /**
   * Takes the lock from a leader that does not answer. A browser that does not even answer this request has
   * no working locks.
   */
  async steal(): Promise<void> {
    if (this.#isStealing) return this.leadAlone();
    this.#isStealing = true;
    await this.#request({ steal: true });
  }

  /** This tab cannot hear the others, so it leads itself. */
  leadAlone(): void {
    this.#term.abort();
    this.role.set('alone');
  }

  /**
   * Returns whether this tab still holds the lock. A tab that was stopped for a while cannot know it
   * otherwise.
   */
  async confirm(): Promise<boolean> {
    if (this.role.get() !== 'leads') return this.role.get() === 'alone';
    const { held } = await withDeadline(this.#locks.query(), QUERY_TIMEOUT_MS, timeoutError).catch(
      () => EMPTY_SNAPSHOT,
    );
    const holderOf = (name: string) => held?.find((lock) => lock.name === name)?.clientId;
    const isMine = holderOf(this.#name) === holderOf(this.#tab);
    if (!isMine && this.role.get() === 'leads') this.role.set('follows');
    return isMine && this.role.get() === 'leads';
  }

  /** Waits for the lock behind the earlier tabs. A tab whose lock was stolen goes to the end of the queue. */
  async #joinQueue(): Promise<void> {
    const { signal } = this.#term;
    const wasStolen = await this.#request({ signal });
    if (wasStolen && !signal.aborted) void this.#joinQueue();
  }

  /** Resolves when the lock or the term ends. Returns whether the lock was taken away. */
  async #request(options: LockOptions): Promise<boolean> {
    const { signal } = this.#term;
    let isGranted = false;
    try {
      await this.#locks.request(this.#name, options, () => {
        isGranted = true;
        this.#isStealing = false;
        return this.#hold(signal);
      });
    } catch {
      this.#isStealing = false;
      if (!signal.aborted) this.#lockFailed(isGranted);
      return isGranted;
    }
    return false;
  }

  /** Resolves when the term ends, which releases the lock. */
  #hold(signal: AbortSignal): Promise<void> | undefined {
    if (signal.aborted) return undefined;
    this.role.set('leads');
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  #lockFailed(wasGranted: boolean): void {
    if (wasGranted) this.role.set('follows');
    else this.leadAlone();
  }
}
