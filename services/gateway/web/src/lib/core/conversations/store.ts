/**
 * Holds what this tab knows of conversations and users. It does no I/O; it emits a fetch request for what is
 * missing.
 */

import { Computed, EventEmitter, Observable } from '../base/observable.ts';
import type { ConversationRow, Message, PresenceRow, Standing, UserId } from '../contract/wire.ts';
import { firstHole } from './history.ts';
import { Room } from './room.ts';

/** What the store asks to be loaded from the gateway. */
export type FetchRequest =
  /** A conversation is unknown or outdated. */
  | { kind: 'list' }
  /** Events are missing between the applied ones and a new one. */
  | { kind: 'replay'; id: string }
  /** The loaded messages may be wrong, and have to be read again. */
  | { kind: 'history'; id: string }
  /** It is in doubt which reactions are the user's. */
  | { kind: 'reactions'; id: string }
  /** Messages are pinned that are not known. */
  | { kind: 'pins'; id: string };

export interface IncomingMessage {
  message: Message;
  conversation: ConversationRow;
}

export class Store {
  readonly me: UserId;
  readonly rooms = new Map<string, Room>();
  readonly conversations = new Computed<readonly ConversationRow[]>(() => this.#sorted());
  readonly roomsChanged = new EventEmitter<string>();
  readonly fetchRequests = new EventEmitter<FetchRequest>();
  /** A message that another user has just sent. Messages that arrive by catching up do not count. */
  readonly incoming = new EventEmitter<IncomingMessage>();
  /** By conversation id: the last `pos` of frames that arrived before the conversation was known. */
  readonly unknownPositions = new Map<string, number>();
  #knownBeforeSync = new Set<string>();
  #presence = new Map<UserId, Observable<PresenceRow | null>>();

  constructor(me: UserId) {
    this.me = me;
  }

  /** Adds rows from REST. They may be older than events that arrived in the meantime. */
  addRows(rows: readonly ConversationRow[]): void {
    for (const row of rows) {
      const room = this.rooms.get(row.id);
      if (room) updateFromRow(room, row);
      else this.add(row);
      this.#replayIfBehind(row);
    }
  }

  add(row: ConversationRow): Room {
    const room = new Room(row, this.me);
    this.rooms.set(row.id, room);
    room.row.watch(() => this.conversations.invalidate());
    this.conversations.invalidate();
    this.roomsChanged.emit(row.id);
    return room;
  }

  remove(id: string): void {
    this.rooms.get(id)?.close();
    this.rooms.delete(id);
    this.conversations.invalidate();
    this.roomsChanged.emit(id);
  }

  /**
   * Remembers which conversations are known before the sync request. Conversations that are added later are
   * missing from its answer, but must not be removed.
   */
  beginSync(): void {
    this.#knownBeforeSync = new Set(this.rooms.keys());
  }

  /** Applies absolute numbers after an absence, unless this tab knows something newer. */
  sync(standings: readonly Standing[]): void {
    for (const standing of standings) {
      const room = this.rooms.get(standing.conversation_id);
      if (!room) {
        this.fetchRequests.emit({ kind: 'list' });
        continue;
      }
      const { read_seq, unread, unread_mentions, marked_unread_from, last_seq, muted, notify } = standing;
      const isNewest = standing.last_pos >= room.pos && read_seq >= room.row.get().read_seq;
      const counters = { read_seq, unread, unread_mentions, marked_unread_from, last_seq };
      room.updateRow({ ...(isNewest ? counters : {}), muted, notify });
      this.checkForHoles(room);
      if (standing.last_pos > room.pos) this.fetchRequests.emit({ kind: 'replay', id: room.id });
    }
    const known = new Set(standings.map((standing) => standing.conversation_id));
    for (const id of this.#knownBeforeSync) if (!known.has(id) && this.rooms.has(id)) this.remove(id);
    this.#knownBeforeSync.clear();
  }

  /**
   * Requests the history again if a message is missing. Such a message was lost on a path that has no `pos`,
   * so no hole in `pos` shows it.
   */
  checkForHoles(room: Room): void {
    const history = room.history.get();
    const hole = history.status === 'ready' ? firstHole(history, room.row.get().last_seq) : null;
    if (hole !== null) this.fetchRequests.emit({ kind: 'history', id: room.id });
  }

  presenceOf(id: UserId): Observable<PresenceRow | null> {
    let presence = this.#presence.get(id);
    if (!presence) {
      presence = new Observable<PresenceRow | null>(null);
      this.#presence.set(id, presence);
    }
    return presence;
  }

  /** Without `lastSeenAt`, the last known time stays. */
  setPresence(id: UserId, status: PresenceRow['status'], lastSeenAt?: string | null): void {
    const presence = this.presenceOf(id);
    const before = presence.get();
    const last_seen_at = lastSeenAt ?? before?.last_seen_at ?? null;
    if (before?.status !== status || before.last_seen_at !== last_seen_at) {
      presence.set({ user_id: id, status, last_seen_at });
    }
  }

  #replayIfBehind(row: ConversationRow): void {
    const gone = this.unknownPositions.get(row.id) ?? 0;
    this.unknownPositions.delete(row.id);
    if (gone > row.last_pos) this.fetchRequests.emit({ kind: 'replay', id: row.id });
  }

  #sorted(): readonly ConversationRow[] {
    const rows = [...this.rooms.values()].map((room) => room.row.get());
    return rows.sort((a, b) => (lastActivity(a) < lastActivity(b) ? 1 : -1));
  }
}

const lastActivity = (row: ConversationRow) => row.last_message?.created_at ?? row.created_at;

/** Updates a room from a REST row. Newer values from events stay. */
function updateFromRow(room: Room, row: ConversationRow): void {
  const held = room.row.get();
  if (row.last_pos < room.pos) return;
  const isReadFurther = row.read_seq >= held.read_seq;
  const { read_seq, unread, unread_mentions, marked_unread_from } = held;
  room.updateRow(isReadFurther ? row : { ...row, read_seq, unread, unread_mentions, marked_unread_from });
  if (room.history.get().status !== 'empty') return;
  // No messages are loaded, so the row is all that has to be caught up with.
  room.pos = Math.max(room.pos, row.last_pos);
  room.release();
}
