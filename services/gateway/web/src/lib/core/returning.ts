/**
 * Owns coming back. The leader asks for what was missed since the last socket and tells all tabs where everything
 * stands; each tab asks for what it finds missing itself.
 */

import type { Histories } from './histories.ts';
import type { Line } from './line.ts';
import type { List } from './list.ts';
import type { Rest } from './rest.ts';
import type { Store, Wish } from './store.ts';
import { Timers } from './timers.ts';
import type { Standing } from './wire.ts';

/** As many as one `resume` may name. */
const MOST = 200;
/** A long replay goes at the reader's pace. */
const REPLAY_MS = 60_000;
const GATHER_MS = 20;
const AGAIN_MS = 2_000;

export class Returning {
  #line: Line;
  #rest: Rest;
  #store: Store;
  #list: List;
  #histories: Histories;
  #wanted = new Set<string>();
  #timers = new Timers<'replay' | 'again'>();
  #off: () => void;
  #isBack = false;

  constructor(line: Line, rest: Rest, store: Store, list: List, histories: Histories) {
    this.#line = line;
    this.#rest = rest;
    this.#store = store;
    this.#list = list;
    this.#histories = histories;
    this.#off = store.wishes.on((wish) => this.#grant(wish));
  }

  stop(): void {
    this.#off();
    this.#timers.stopAll();
  }

  /** On every new socket of the leader; the list is loaded at the same time, whichever comes first. */
  async catchUp(): Promise<void> {
    this.#timers.stop('again');
    await this.#list.loaded;
    try {
      await this.#resume([...this.#store.rooms.keys()]);
      // Read positions and memberships are no part of a replay. A list of just now has them.
      if (this.#isBack) await this.#sync();
      this.#isBack = true;
    } catch {
      const isOnline = this.#line.state.get().phase === 'online';
      if (isOnline) this.#timers.start('again', AGAIN_MS, () => void this.catchUp());
    }
  }

  async #sync(): Promise<void> {
    this.#line.tell({ type: 'local.syncing' });
    const standings = await this.#rest.all<Standing>('/sync');
    this.#line.tell({ type: 'local.synced', standings });
  }

  async #resume(ids: string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += MOST) {
      const positions: Record<string, number> = {};
      for (const id of ids.slice(at, at + MOST)) {
        const room = this.#store.rooms.get(id);
        if (room) positions[id] = room.pos;
      }
      await this.#line.ask({ type: 'resume', positions }, REPLAY_MS);
    }
  }

  #grant(wish: Wish): void {
    if (wish.kind === 'list') return this.#list.want();
    if (wish.kind === 'history') return void this.#reread(wish.id);
    this.#wanted.add(wish.id);
    if (!this.#timers.has('replay')) this.#timers.start('replay', GATHER_MS, () => void this.#replay());
  }

  async #reread(id: string): Promise<void> {
    this.#list.want();
    const room = this.#store.rooms.get(id);
    if (room) await this.#histories.reread(room);
  }

  async #replay(): Promise<void> {
    const ids = [...this.#wanted].filter((id) => this.#store.rooms.has(id));
    this.#wanted.clear();
    try {
      await this.#resume(ids);
    } catch {
      if (this.#line.state.get().phase !== 'online') return; // A new socket catches up with everything.
      for (const id of ids) this.#wanted.add(id);
      this.#timers.start('replay', AGAIN_MS, () => void this.#replay());
    }
  }
}
