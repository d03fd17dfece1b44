/** Loads what is known about users: their profiles, their presence, and how far they have read. */

import type { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import type { Page, RestClient } from '../connection/restClient.ts';
import type {
  Message,
  OwnUser,
  Participant,
  PresenceRow,
  ReactingUser,
  Reader,
  User,
  UserId,
} from '../contract/wire.ts';
import type { SharedEvent } from '../tabs/messages.ts';
import { type Directory, Names } from './names.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';
import { Users } from './users.ts';

const BATCH_MS = 10;
const MAX_PRESENCES = 500;
/** A list of found users is for choosing from. Whoever is not in it types more of the name. */
const MAX_FOUND = 20;

export class People {
  #rest: RestClient;
  #store: Store;
  #users: Users;
  #names: Names;
  #unknownPresence = new Set<UserId>();
  #requests = new Map<string, Promise<void>>();
  #timers = new Timers<'presence'>();

  constructor(rest: RestClient, store: Store, directory: Directory | null) {
    this.#rest = rest;
    this.#store = store;
    this.#users = new Users(rest);
    this.#names = new Names(this.#users, directory);
  }

  stop(): void {
    this.#timers.stopAll();
    this.#users.stop();
    this.#names.stop();
  }

  /** The profile is null until it is known, and for good if the user may not see it. */
  user(id: UserId): Observable<User | null> {
    return this.#users.profile(id);
  }

  /** Takes profiles from an answer or an event. An older version changes nothing. */
  learn(users: readonly User[]): void {
    this.#users.learn(users);
  }

  /** The name is null until it is known, or for good if the user has none. */
  name(id: UserId): Observable<string | null> {
    return this.#names.name(id);
  }

  /** True while there is no name yet and one may still come. */
  isNameLoading(id: UserId): Observable<boolean> {
    return this.#names.isLoading(id);
  }

  /** Resolves to the name when it has been asked for, or when that takes too long. */
  settledName(id: UserId): Promise<string | null> {
    return this.#names.settled(id);
  }

  /** Finds users by the beginnings of the words of their name. */
  async find(query: string): Promise<User[]> {
    const page = await this.#rest.get<Page<User>>('/users', { q: query, limit: MAX_FOUND });
    this.learn(page.items);
    return page.items;
  }

  /** The own profile, with the host application's id. */
  async me(): Promise<OwnUser> {
    const own = await this.#rest.get<OwnUser>('/users/me');
    const { external_id: _, ...user } = own;
    this.learn([user]);
    return own;
  }

  applyEvent(event: SharedEvent): void {
    if (event.type === 'user.updated') this.learn([event.data]);
    // Users whom one meets may have names that one could not see before.
    else if (event.type === 'participant.added') this.#users.askAgain(idsOf(event.users));
    else if (event.type === 'conversation.created') this.#users.askAgain(idsOf(event.data.participants));
  }

  /** Call after an interruption, in which changes of profiles are missed. */
  refresh(): void {
    this.#users.refresh(this.#names.isInUse);
  }

  presence(id: UserId): Observable<PresenceRow | null> {
    const presence = this.#store.presenceOf(id);
    if (presence.get() === null && !this.#unknownPresence.has(id)) {
      this.#unknownPresence.add(id);
      if (!this.#timers.has('presence'))
        this.#timers.start('presence', BATCH_MS, () => void this.#fetchPresence());
    }
    return presence;
  }

  /** Loads the members of a conversation, once. */
  async loadMembers(room: Room): Promise<void> {
    if (room.participants.get() === null)
      await this.#once(`members ${room.id}`, () => this.#fetchMembers(room));
  }

  /**
   * Finds out how far the others have read this user's messages. Events tell later changes, but not the state
   * before them.
   */
  async loadReadPositions(room: Room): Promise<void> {
    const mine = room.history.get().messages.filter((m) => m.sender_id === this.#store.me && !m.deleted_at);
    await this.#once(`reads ${room.id}`, () => this.#findReadPosition(room, mine)).catch(() => undefined);
  }

  /** A page of who reacted to a message with this emoji, the first one first. */
  reactingUsers(messageId: string, emoji: string, cursor: string | null): Promise<Page<ReactingUser>> {
    return this.#rest.get(`/messages/${messageId}/reactions`, { emoji, cursor });
  }

  readers(messageId: string): Promise<Reader[]> {
    return this.#rest.all<Reader>(`/messages/${messageId}/readers`);
  }

  /** A member who has read a message has read the earlier ones too, so a binary search needs few requests. */
  async #findReadPosition(room: Room, mine: Message[]): Promise<void> {
    let low = 0;
    let high = mine.length;
    for (let at = high - 1; low < high; at = Math.floor((low + high) / 2)) {
      const message = mine[at];
      if (!message) return;
      const page = await this.#rest.get<Page<Reader>>(`/messages/${message.id}/readers`);
      const others = page.items.filter((reader) => reader.user_id !== this.#store.me);
      for (const { user_id: id } of others) room.markReadBy(id, message.seq);
      if (others.length) low = at + 1;
      else high = at;
    }
  }

  async #fetchMembers(room: Room): Promise<void> {
    const members = await this.#rest.all<Participant>(`/conversations/${room.id}/participants`);
    room.participants.set(members);
  }

  async #fetchPresence(): Promise<void> {
    const ids = [...this.#unknownPresence]
      .filter((id) => this.#store.presenceOf(id).get() === null)
      .slice(0, MAX_PRESENCES);
    if (ids.length === 0) return;
    const asked = this.#rest.get<Page<PresenceRow>>('/presence', { user_ids: ids.join(',') });
    const page = await asked.catch(() => null);
    for (const row of page?.items ?? []) this.#store.setPresence(row.user_id, row.status, row.last_seen_at);
  }

  #once(what: string, work: () => Promise<void>): Promise<void> {
    const asked = this.#requests.get(what) ?? work().finally(() => this.#requests.delete(what));
    this.#requests.set(what, asked);
    return asked;
  }
}

const idsOf = (users: readonly { user_id: UserId }[]): UserId[] => users.map((user) => user.user_id);
