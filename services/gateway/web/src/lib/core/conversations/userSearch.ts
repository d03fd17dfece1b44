/** Finds users by name while the own user types: one request after a pause, and only the newest answer counts. */

import { isBlank } from '../base/blank.ts';
import { fold } from '../base/fold.ts';
import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { type Failure, toFailure } from '../contract/failure.ts';
import type { User } from '../contract/wire.ts';

/** Short enough to feel immediate, and long enough to join the key presses of a word or a syllable. */
const PAUSE_MS = 180;

export interface UserSearchState {
  /**
   * `idle`: nothing is searched for. `off`: the gateway's operator does not allow searching. `searching`: the
   * users are those of the last answer who match.
   */
  status: 'idle' | 'searching' | 'ready' | 'off' | 'failed';
  users: readonly User[];
  failure: Failure | null;
}

const NOBODY: readonly User[] = [];
export const IDLE_SEARCH: UserSearchState = { status: 'idle', users: NOBODY, failure: null };

export class UserSearch {
  readonly state = new Observable<UserSearchState>(IDLE_SEARCH);
  #find: (query: string) => Promise<User[]>;
  #timers = new Timers<'ask'>();
  #query = '';

  constructor(find: (query: string) => Promise<User[]>) {
    this.#find = find;
  }

  stop(): void {
    this.search('');
  }

  /** Searches for users whose name has, for each word of the query, a word that begins with it. */
  search(query: string): void {
    const wanted = isBlank(query) ? '' : query.trim();
    if (wanted === this.#query) return;
    this.#query = wanted;
    this.#timers.stopAll();
    if (this.state.get().status === 'off') return;
    if (wanted === '') return this.state.set(IDLE_SEARCH);
    const users = this.state.get().users.filter((user) => matches(user.name ?? '', wanted));
    this.state.set({ status: 'searching', users, failure: null });
    this.#timers.start('ask', PAUSE_MS, () => void this.#ask(wanted));
  }

  async #ask(query: string): Promise<void> {
    const answer = await this.#find(query).then(found, refused);
    if (query === this.#query) this.state.set(answer);
  }
}

const found = (users: User[]): UserSearchState => ({ status: 'ready', users, failure: null });

function refused(error: unknown): UserSearchState {
  const failure = toFailure(error);
  return { status: failure.code === 'forbidden' ? 'off' : 'failed', users: NOBODY, failure };
}

/** The gateway's rule, for the time until its answer comes. */
function matches(name: string, query: string): boolean {
  const words = wordsOf(name);
  return wordsOf(query).every((start) => words.some((word) => word.startsWith(start)));
}

const wordsOf = (text: string): string[] => fold(text).split(/\s+/).filter(Boolean);
