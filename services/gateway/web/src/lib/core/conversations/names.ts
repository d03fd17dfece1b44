/** The names of users: those of the host page's directory, and otherwise those of the profiles. */

import { isBlank } from '../base/blank.ts';
import { withDeadline } from '../base/deadline.ts';
import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import { unansweredError } from '../contract/failure.ts';
import type { UserId } from '../contract/wire.ts';
import type { Users } from './users.ts';

/** Returns names of the host page's own, which replace those of the profiles. */
export type Directory = (
  ids: UserId[],
) => Promise<Readonly<Record<UserId, string>>> | Readonly<Record<UserId, string>>;

const BATCH_MS = 10;
/** After this time a user without any other name is shown without one, even if the directory still works. */
const DIRECTORY_MS = 2_000;
/** A notification waits this long for the name of its sender. */
const SETTLE_MS = 2_000;

interface Entry {
  name: Observable<string | null>;
  isLoading: Observable<boolean>;
  /** The name that the directory gave. */
  own: string | null;
  isDirectoryAsked: boolean;
}

export class Names {
  #users: Users;
  #directory: Directory | null;
  #entries = new Map<UserId, Entry>();
  #wanted = new Set<UserId>();
  #timers = new Timers<'ask'>();

  constructor(users: Users, directory: Directory | null) {
    this.#users = users;
    this.#directory = directory;
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** The name is null until it is known, or for good if the user has none. */
  name(id: UserId): Observable<string | null> {
    return this.#entry(id).name;
  }

  /** True while there is no name yet and one may still come. */
  isLoading(id: UserId): Observable<boolean> {
    return this.#entry(id).isLoading;
  }

  /** Resolves to the name when it has been asked for, or when that takes too long. */
  async settled(id: UserId): Promise<string | null> {
    const { name, isLoading } = this.#entry(id);
    if (isLoading.get()) await becomesFalse(isLoading, SETTLE_MS);
    return name.get();
  }

  isInUse = (id: UserId): boolean => {
    const entry = this.#entries.get(id);
    return !!entry && (entry.name.hasListeners || entry.isLoading.hasListeners);
  };

  #entry(id: UserId): Entry {
    const known = this.#entries.get(id);
    // Each use counts: the profile is asked for again if changes were missed.
    const profile = this.#users.profile(id);
    if (known) return known;
    const made: Entry = {
      name: new Observable<string | null>(null),
      isLoading: new Observable(true),
      own: null,
      isDirectoryAsked: this.#directory === null,
    };
    this.#entries.set(id, made);
    const isAnswered = this.#users.isAnswered(id);
    const update = () => this.#update(id, made);
    profile.watch(update);
    isAnswered.watch(update);
    update();
    if (this.#directory) this.#askFor(id);
    return made;
  }

  #update(id: UserId, entry: Entry): void {
    entry.name.set(entry.own ?? visibleName(this.#users.profile(id).get()?.name));
    const isAnswered = entry.isDirectoryAsked && this.#users.isAnswered(id).get();
    entry.isLoading.set(entry.name.get() === null && !isAnswered);
  }

  #askFor(id: UserId): void {
    this.#wanted.add(id);
    if (!this.#timers.has('ask')) this.#timers.start('ask', BATCH_MS, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const ids = [...this.#wanted];
    this.#wanted.clear();
    const asked = this.#fromDirectory(ids);
    const late = () => unansweredError('The directory did not answer');
    await withDeadline(asked, DIRECTORY_MS, late).catch(() => this.#settle(ids, {}));
    // A late answer still counts.
    this.#settle(ids, (await asked) ?? {});
  }

  async #fromDirectory(ids: UserId[]): Promise<Readonly<Record<UserId, string>> | null | undefined> {
    try {
      return await this.#directory?.(ids);
    } catch {
      return null;
    }
  }

  #settle(ids: UserId[], names: Readonly<Record<UserId, string>>): void {
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (!entry) continue;
      entry.own = visibleName(names[id]);
      entry.isDirectoryAsked = true;
      this.#update(id, entry);
    }
  }
}

/** A name that is invisible counts as no name. */
function visibleName(name: unknown): string | null {
  return typeof name === 'string' && !isBlank(name) ? name : null;
}

async function becomesFalse(value: Observable<boolean>, limitMs: number): Promise<void> {
  let off = () => {};
  const changed = new Promise<void>((resolve) => {
    off = value.watch((now) => !now && resolve());
  });
  await withDeadline(changed, limitMs, () => unansweredError('The name did not come')).catch(() => undefined);
  off();
}
