/**
 * Catches up after an interruption. The leader requests what was missed since the last socket, and publishes
 * the current state to all tabs. Each tab requests by itself what it finds missing.
 */

import { Timers } from '../base/timers.ts';
import type { RestClient } from '../connection/restClient.ts';
import type { Standing } from '../contract/wire.ts';
import type { FetchRequest, Store } from '../conversations/store.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import type { HistoryLoader } from './historyLoader.ts';
import type { ListLoader } from './listLoader.ts';

/** The most conversations that one `resume` may name. */
const MAX_CONVERSATIONS = 200;
/** A long replay is sent at the speed at which the client reads. */
const REPLAY_TIMEOUT_MS = 60_000;
const BATCH_MS = 20;
const RETRY_MS = 2_000;

export class Recovery {
  #connection: SharedConnection;
  #rest: RestClient;
  #store: Store;
  #listLoader: ListLoader;
  #historyLoader: HistoryLoader;
  #toReplay = new Set<string>();
  #timers = new Timers<'replay' | 'again'>();
  #offs: (() => void)[];
  #hasCaughtUp = false;
  /** This tab was the leader, and was replaced because its page was stopped for too long. */
  #wasReplaced = false;

  constructor(
    connection: SharedConnection,
    rest: RestClient,
    store: Store,
    listLoader: ListLoader,
    historyLoader: HistoryLoader,
  ) {
    this.#connection = connection;
    this.#rest = rest;
    this.#store = store;
    this.#listLoader = listLoader;
    this.#historyLoader = historyLoader;
    this.#offs = [
      store.fetchRequests.on((request) => this.#fetch(request)),
      connection.tabs.isLeader.watch((isLeader) => {
        this.#wasReplaced = !isLeader;
      }),
      connection.state.watch((state) => state.phase === 'online' && this.#catchUpIfReplaced()),
    ];
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#timers.stopAll();
  }

  /**
   * Runs on every new socket of the leader. The list of conversations is loaded at the same time, and either
   * may finish first.
   */
  async catchUp(): Promise<void> {
    this.#timers.stop('again');
    await this.#listLoader.loaded;
    try {
      await this.#resume([...this.#store.rooms.keys()]);
      // A replay does not contain read positions and memberships. On the first socket they come with the
      // list, which has just been loaded.
      if (this.#hasCaughtUp) await this.#sync();
      this.#hasCaughtUp = true;
    } catch {
      const isOnline = this.#connection.state.get().phase === 'online';
      if (isOnline) this.#timers.start('again', RETRY_MS, () => void this.catchUp());
    }
  }

  /** This tab missed what the other leader published in the meantime. */
  #catchUpIfReplaced(): void {
    if (!this.#wasReplaced) return;
    this.#wasReplaced = false;
    void this.catchUp();
  }

  async #sync(): Promise<void> {
    this.#connection.publish({ type: 'local.syncing' });
    const standings = await this.#rest.all<Standing>('/sync');
    this.#connection.publish({ type: 'local.synced', standings });
  }

  async #resume(ids: string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += MAX_CONVERSATIONS) {
      const positions: Record<string, number> = {};
      for (const id of ids.slice(at, at + MAX_CONVERSATIONS)) {
        const room = this.#store.rooms.get(id);
        if (room) positions[id] = room.pos;
      }
      await this.#connection.ask({ type: 'resume', positions }, REPLAY_TIMEOUT_MS);
    }
  }

  #fetch(request: FetchRequest): void {
    if (request.kind === 'list') return this.#listLoader.loadSoon();
    if (request.kind === 'history') return void this.#reloadHistory(request.id);
    if (request.kind !== 'replay') return;
    this.#toReplay.add(request.id);
    if (!this.#timers.has('replay')) this.#timers.start('replay', BATCH_MS, () => void this.#replay());
  }

  async #reloadHistory(id: string): Promise<void> {
    this.#listLoader.loadSoon();
    const room = this.#store.rooms.get(id);
    if (!room) return;
    this.#store.fetchRequests.emit({ kind: 'pins', id });
    await this.#historyLoader.reload(room);
  }

  async #replay(): Promise<void> {
    const ids = [...this.#toReplay].filter((id) => this.#store.rooms.has(id));
    this.#toReplay.clear();
    try {
      await this.#resume(ids);
    } catch {
      // A new socket catches up with everything.
      if (this.#connection.state.get().phase !== 'online') return;
      for (const id of ids) this.#toReplay.add(id);
      this.#timers.start('replay', RETRY_MS, () => void this.#replay());
    }
  }
}
