/** Loads the profiles of users, in batches, and keeps them up to date. */

import { BackOff } from '../base/backoff.ts';
import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import type { Page, RestClient } from '../connection/restClient.ts';
import { MessengerError } from '../contract/failure.ts';
import type { User, UserId } from '../contract/wire.ts';

const BATCH_MS = 10;
const MAX_USERS = 200;

interface Entry {
  profile: Observable<User | null>;
  /** Whether the gateway has answered, also if it does not know the user. */
  isAnswered: Observable<boolean>;
}

export class Users {
  #rest: RestClient;
  #entries = new Map<UserId, Entry>();
  #wanted = new Set<UserId>();
  /** Users whose changes were missed. They are asked for when they are next used. */
  #stale = new Set<UserId>();
  #timers = new Timers<'ask'>();
  #backOff = new BackOff();
  #isAsking = false;
  #isStopped = false;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timers.stopAll();
  }

  /** The profile is null until it is known, and for good if the own user may not see it. */
  profile(id: UserId): Observable<User | null> {
    return this.#used(id).profile;
  }

  isAnswered(id: UserId): Observable<boolean> {
    return this.#used(id).isAnswered;
  }

  /** Takes profiles from an answer or an event. An older version changes nothing. */
  learn(users: readonly User[]): void {
    for (const user of users) {
      const { profile, isAnswered } = this.#entry(user.id);
      const known = profile.get();
      if ((known?.version ?? 0) > user.version) continue;
      if (!known || !isSame(known, user)) profile.set(user);
      isAnswered.set(true);
      this.#wanted.delete(user.id);
      this.#stale.delete(user.id);
    }
  }

  /** Asks again for those of these users whom the gateway did not know before. */
  askAgain(ids: readonly UserId[]): void {
    for (const id of ids) if (this.#entries.get(id)?.profile.get() === null) this.#want(id);
  }

  /**
   * Call when changes may have been missed. Users in use are asked for now, the others when they are next
   * used.
   */
  refresh(isInUse: (id: UserId) => boolean): void {
    for (const [id, { profile }] of this.#entries) {
      if (profile.hasListeners || isInUse(id)) this.#want(id);
      else this.#stale.add(id);
    }
  }

  #used(id: UserId): Entry {
    const isNew = !this.#entries.has(id);
    if (isNew || this.#stale.delete(id)) this.#want(id);
    return this.#entry(id);
  }

  #entry(id: UserId): Entry {
    const known = this.#entries.get(id);
    if (known) return known;
    const made = { profile: new Observable<User | null>(null), isAnswered: new Observable(false) };
    this.#entries.set(id, made);
    return made;
  }

  #want(id: UserId): void {
    this.#wanted.add(id);
    if (!this.#isAsking && !this.#timers.has('ask')) this.#askIn(BATCH_MS);
  }

  #askIn(delay: number): void {
    if (!this.#isStopped) this.#timers.start('ask', delay, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const ids = [...this.#wanted].slice(0, MAX_USERS);
    if (ids.length === 0) return;
    for (const id of ids) this.#wanted.delete(id);
    this.#isAsking = true;
    const retryIn = await this.#load(ids);
    this.#isAsking = false;
    if (retryIn !== null) for (const id of ids) this.#wanted.add(id);
    if (this.#wanted.size > 0) this.#askIn(retryIn ?? BATCH_MS);
  }

  /** Returns how long to wait before the next try, or null if none is needed. */
  async #load(ids: UserId[]): Promise<number | null> {
    try {
      this.learn((await this.#rest.get<Page<User>>('/users', { ids: ids.join(',') })).items);
    } catch (error) {
      const isRefused = error instanceof MessengerError && !error.retryable;
      if (!isRefused) return this.#backOff.next(error instanceof MessengerError ? error.retryAfterMs : 0);
    }
    this.#backOff.reset();
    for (const id of ids) this.#entry(id).isAnswered.set(true);
    return null;
  }
}

const isSame = (a: User, b: User): boolean =>
  a.version === b.version &&
  a.name === b.name &&
  a.avatar_url === b.avatar_url &&
  a.deactivated === b.deactivated;
