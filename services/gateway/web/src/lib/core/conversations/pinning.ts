/**
 * Loads the pinned messages of open conversations, and pins for the user. The socket keeps the order of the user's
 * commands, so the last of several is what remains.
 */

import { Timers } from '../base/timers.ts';
import type { Page, RestClient } from '../connection/restClient.ts';
import { toFailure } from '../contract/failure.ts';
import type { Message, Pin } from '../contract/wire.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';

const PAGE_SIZE = 50;
/** Requests within this time cause one reload. */
const BATCH_MS = 150;
/** A list that changes faster than it can be read is read again after a pause. */
const MAX_READS = 3;

export class Pinning {
  #connection: SharedConnection;
  #rest: RestClient;
  #store: Store;
  #timers = new Timers<string>();
  #offs: (() => void)[];
  /** By message id: the number of the user's last command. */
  #latest = new Map<string, number>();
  #commands = 0;

  constructor(connection: SharedConnection, rest: RestClient, store: Store) {
    this.#connection = connection;
    this.#rest = rest;
    this.#store = store;
    this.#offs = [
      store.fetchRequests.on((request) => request.kind === 'pins' && this.#readSoon(request.id)),
      connection.state.watch((state) => state.phase === 'online' && this.#readFailed()),
    ];
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#timers.stopAll();
  }

  /** Loads the newest pins, unless they are loaded already. */
  async load(room: Room): Promise<void> {
    const { status } = room.pins.state.get();
    if (status === 'loading' || status === 'ready') return;
    room.pins.setStatus('loading');
    await this.#read(room);
  }

  /** Returns the page of pins that begins at `cursor`. */
  page(conversationId: string, cursor: string): Promise<Page<Pin>> {
    return this.#rest.get(`/conversations/${conversationId}/pins`, { limit: PAGE_SIZE, cursor });
  }

  /** It is visible at once. Rejects with MessengerError, and is taken back, if it is refused or not connected. */
  async set(message: Message, on: boolean): Promise<void> {
    const { id, conversation_id } = message;
    const pins = this.#store.rooms.get(conversation_id)?.pins;
    this.#commands += 1;
    const number = this.#commands;
    this.#latest.set(id, number);
    pins?.wish(message, on);
    const settle = (isGranted: boolean) => {
      if (this.#latest.get(id) !== number) return;
      this.#latest.delete(id);
      pins?.settle(id, isGranted);
    };
    try {
      await this.#connection.ask({ type: on ? 'message.pin' : 'message.unpin', message_id: id });
      settle(true);
    } catch (error) {
      settle(false);
      throw error;
    }
  }

  /** What could not be read while offline is read when the connection is back. */
  #readFailed(): void {
    for (const room of this.#store.rooms.values())
      if (room.pins.state.get().status === 'failed') this.#readSoon(room.id);
  }

  #readSoon(id: string): void {
    this.#timers.start(id, BATCH_MS, () => {
      const room = this.#store.rooms.get(id);
      if (room && room.pins.state.get().status !== 'empty') void this.#read(room);
    });
  }

  async #read(room: Room): Promise<void> {
    try {
      for (let reads = 0; reads < MAX_READS; reads += 1) {
        const { pos } = room;
        const path = `/conversations/${room.id}/pins`;
        if (room.pins.learn(await this.#rest.get<Page<Pin>>(path, { limit: PAGE_SIZE }), pos)) return;
      }
      this.#readSoon(room.id);
    } catch (error) {
      room.pins.setStatus('failed', toFailure(error));
    }
  }
}
