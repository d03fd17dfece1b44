/** Owns what is asked about people: who is online, who has read what, what the host application calls them. */

import { Cell } from './cell.ts';
import type { Page, Rest } from './rest.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';
import { Timers } from './timers.ts';
import type { Message, Participant, PresenceRow, Reader, UserId } from './wire.ts';

/** Names of users, as far as the host application knows them. */
export type Directory = (
  ids: UserId[],
) => Promise<Readonly<Record<UserId, string>>> | Readonly<Record<UserId, string>>;

const GATHER_MS = 10;
const MOST_USERS = 500;

export class People {
  #rest: Rest;
  #store: Store;
  #directory: Directory | null;
  #names = new Map<UserId, Cell<string | null>>();
  #nameless = new Set<UserId>();
  #unseen = new Set<UserId>();
  #asking = new Map<string, Promise<void>>();
  #timers = new Timers<'names' | 'presence'>();

  constructor(rest: Rest, store: Store, directory: Directory | null) {
    this.#rest = rest;
    this.#store = store;
    this.#directory = directory;
  }

  stop(): void {
    this.#timers.stopAll();
  }

  /** Null until it is known, or for good if the host application has none. */
  name(id: UserId): Cell<string | null> {
    let cell = this.#names.get(id);
    if (cell) return cell;
    cell = new Cell<string | null>(null);
    this.#names.set(id, cell);
    if (this.#directory) {
      this.#nameless.add(id);
      this.#gather('names', () => void this.#askNames());
    }
    return cell;
  }

  presence(id: UserId): Cell<PresenceRow | null> {
    const cell = this.#store.person(id);
    if (cell.get() === null && !this.#unseen.has(id)) {
      this.#unseen.add(id);
      this.#gather('presence', () => void this.#askPresence());
    }
    return cell;
  }

  /** Loads who is in a conversation, once. */
  async members(room: Room): Promise<void> {
    if (room.participants.get() === null)
      await this.#once(`members ${room.id}`, () => this.#askMembers(room));
  }

  /** Finds out how far others have read what I wrote: events tell it from now on, and not what was before. */
  async reads(room: Room): Promise<void> {
    const mine = room.history.get().messages.filter((m) => m.sender_id === this.#store.me && !m.deleted_at);
    await this.#once(`reads ${room.id}`, () => this.#bisect(room, mine)).catch(() => undefined);
  }

  readers(messageId: string): Promise<Reader[]> {
    return this.#rest.all<Reader>(`/messages/${messageId}/readers`);
  }

  /** Who has read a message has read those before: halving finds the border in a few questions. */
  async #bisect(room: Room, mine: Message[]): Promise<void> {
    let low = 0;
    let high = mine.length;
    for (let at = high - 1; low < high; at = Math.floor((low + high) / 2)) {
      const message = mine[at];
      if (!message) return;
      const page = await this.#rest.get<Page<Reader>>(`/messages/${message.id}/readers`);
      const others = page.items.filter((reader) => reader.user_id !== this.#store.me);
      for (const { user_id: id } of others) room.hasRead(id, message.seq);
      if (others.length) low = at + 1;
      else high = at;
    }
  }

  async #askMembers(room: Room): Promise<void> {
    const members = await this.#rest.all<Participant>(`/conversations/${room.id}/participants`);
    room.participants.set(members);
  }

  async #askPresence(): Promise<void> {
    const ids = [...this.#unseen].filter((id) => this.#store.person(id).get() === null).slice(0, MOST_USERS);
    if (ids.length === 0) return;
    const asked = this.#rest.get<Page<PresenceRow>>('/presence', { user_ids: ids.join(',') });
    const page = await asked.catch(() => null);
    for (const row of page?.items ?? []) this.#store.seen(row.user_id, row.status, row.last_seen_at);
  }

  async #askNames(): Promise<void> {
    const ids = [...this.#nameless];
    this.#nameless.clear();
    const names = await Promise.resolve(this.#directory?.(ids)).catch(() => null);
    for (const id of ids) this.#names.get(id)?.set(names?.[id] ?? null);
  }

  #gather(what: 'names' | 'presence', then: () => void): void {
    if (!this.#timers.has(what)) this.#timers.start(what, GATHER_MS, then);
  }

  #once(what: string, work: () => Promise<void>): Promise<void> {
    const asked = this.#asking.get(what) ?? work().finally(() => this.#asking.delete(what));
    this.#asking.set(what, asked);
    return asked;
  }
}
