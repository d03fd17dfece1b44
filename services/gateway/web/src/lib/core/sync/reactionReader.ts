/**
 * Reads reactions again when it is in doubt which of them are the user's. That is so after a replay or in a storm, if
 * more than three users reacted: the user may have reacted on another device.
 *
 * It waits until the storm is over, and a random time more, which is longer in large conversations: about two hundred
 * members ask per second. It reads only what is open in this tab.
 */

import { Timers } from '../base/timers.ts';
import type { Room } from '../conversations/room.ts';
import type { Store } from '../conversations/store.ts';
import type { TabView } from '../tabs/tabView.ts';
import type { HistoryLoader } from './historyLoader.ts';

const QUIET_MS = 1_000;
const SPREAD_MS = 2_000;
const SPREAD_PER_MEMBER_MS = 5;
const RETRY_MS = 10_000;

export class ReactionReader {
  #store: Store;
  #view: TabView;
  #historyLoader: HistoryLoader;
  #timers = new Timers<string>();
  #off: () => void;

  constructor(store: Store, view: TabView, historyLoader: HistoryLoader) {
    this.#store = store;
    this.#view = view;
    this.#historyLoader = historyLoader;
    this.#off = store.fetchRequests.on((request) => {
      if (request.kind === 'reactions') this.#readLater(request.id, QUIET_MS);
    });
  }

  stop(): void {
    this.#off();
    this.#timers.stopAll();
  }

  /** Call when the user opens a conversation. */
  opened(room: Room): void {
    if (room.reactions.inDoubt.length > 0) this.#readIn(room.id, 0);
  }

  #readLater(id: string, delay: number): void {
    const members = this.#store.rooms.get(id)?.row.get().participants_count ?? 0;
    this.#readIn(id, delay + Math.random() * (SPREAD_MS + members * SPREAD_PER_MEMBER_MS));
  }

  #readIn(id: string, delay: number): void {
    this.#timers.start(id, delay, () => {
      const room = this.#store.rooms.get(id);
      if (room && this.#view.isOpen(id)) void this.#read(room);
    });
  }

  async #read(room: Room): Promise<void> {
    const ids = room.reactions.inDoubt;
    await this.#historyLoader.readReactions(room, ids).catch(() => this.#readLater(room.id, RETRY_MS));
  }
}
