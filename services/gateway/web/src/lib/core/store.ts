/** Owns what a tab knows: conversations and people. It applies what the line tells, and does no I/O of its own. */

import { applied } from './apply.ts';
import { Cell, Derived, Happening } from './cell.ts';
import { firstHole } from './history.ts';
import { Room } from './room.ts';
import type { ConversationRow, Message, PresenceRow, Standing, UserId } from './wire.ts';

/** What the store needs from whoever can ask the gateway. */
export type Wish =
  /** A conversation that isn't known, or is no longer as it was. */
  | { kind: 'list' }
  /** Changes are missing between what is held and what comes. */
  | { kind: 'replay'; id: string }
  /** The history that is held can't be trusted any more. */
  | { kind: 'history'; id: string };

export interface Incoming {
  message: Message;
  conversation: ConversationRow;
}

export class Store {
  readonly me: UserId;
  readonly rooms = new Map<string, Room>();
  readonly conversations = new Derived<readonly ConversationRow[]>(() => this.#inOrder());
  readonly roomsChanged = new Happening<string>();
  readonly wishes = new Happening<Wish>();
  /** A message that has just been sent by somebody else, as opposed to one that is caught up with. */
  readonly incoming = new Happening<Incoming>();
  /** How far conversations have gone that were not known when their frames came. */
  readonly strays = new Map<string, number>();
  #knownBeforeSync = new Set<string>();
  #people = new Map<UserId, Cell<PresenceRow | null>>();

  constructor(me: UserId) {
    this.me = me;
  }

  apply = applied(this);

  /** Rows as REST gives them; they may be older than what came on the line meanwhile. */
  addRows(rows: readonly ConversationRow[]): void {
    for (const row of rows) {
      const room = this.rooms.get(row.id);
      if (room) refresh(room, row);
      else this.add(row);
      this.#ask(row);
    }
  }

  add(row: ConversationRow): Room {
    const room = new Room(row);
    this.rooms.set(row.id, room);
    room.row.watch(() => this.conversations.stale());
    this.conversations.stale();
    this.roomsChanged.tell(row.id);
    return room;
  }

  remove(id: string): void {
    this.rooms.get(id)?.close();
    this.rooms.delete(id);
    this.conversations.stale();
    this.roomsChanged.tell(id);
  }

  /** What comes from now on isn't gone only because the answer doesn't know it yet. */
  beginSync(): void {
    this.#knownBeforeSync = new Set(this.rooms.keys());
  }

  /** Absolute numbers after an absence: they stand, unless something newer is known here. */
  sync(standings: readonly Standing[]): void {
    for (const standing of standings) {
      const room = this.rooms.get(standing.conversation_id);
      if (!room) {
        this.wishes.tell({ kind: 'list' });
        continue;
      }
      const { read_seq, unread, last_seq, muted } = standing;
      const isNewest = standing.last_pos >= room.pos && read_seq >= room.row.get().read_seq;
      room.amend(isNewest ? { read_seq, unread, last_seq, muted } : { muted });
      this.check(room);
      if (standing.last_pos > room.pos) this.wishes.tell({ kind: 'replay', id: room.id });
    }
    const known = new Set(standings.map((standing) => standing.conversation_id));
    for (const id of this.#knownBeforeSync) if (!known.has(id) && this.rooms.has(id)) this.remove(id);
    this.#knownBeforeSync.clear();
  }

  /** A message that should be there and isn't was lost on a way that doesn't count `pos`. */
  check(room: Room): void {
    const { status, messages } = room.history.get();
    const hole = status === 'ready' ? firstHole(messages, room.row.get().last_seq) : null;
    if (hole !== null) this.wishes.tell({ kind: 'history', id: room.id });
  }

  person(id: UserId): Cell<PresenceRow | null> {
    let cell = this.#people.get(id);
    if (!cell) {
      cell = new Cell<PresenceRow | null>(null);
      this.#people.set(id, cell);
    }
    return cell;
  }

  /** Without a time of its own, the last one that was known stays. */
  seen(id: UserId, status: PresenceRow['status'], lastSeenAt?: string | null): void {
    const cell = this.person(id);
    const before = cell.get();
    const last_seen_at = lastSeenAt ?? before?.last_seen_at ?? null;
    if (before?.status !== status || before.last_seen_at !== last_seen_at) {
      cell.set({ user_id: id, status, last_seen_at });
    }
  }

  #ask(row: ConversationRow): void {
    const gone = this.strays.get(row.id) ?? 0;
    this.strays.delete(row.id);
    if (gone > row.last_pos) this.wishes.tell({ kind: 'replay', id: row.id });
  }

  #inOrder(): readonly ConversationRow[] {
    const rows = [...this.rooms.values()].map((room) => room.row.get());
    return rows.sort((a, b) => (activity(a) < activity(b) ? 1 : -1));
  }
}

const activity = (row: ConversationRow) => row.last_message?.created_at ?? row.created_at;

/** A row from REST over what is held: what the line told later stays. */
function refresh(room: Room, row: ConversationRow): void {
  const held = room.row.get();
  if (row.last_pos < room.pos) return;
  const isReadFurther = row.read_seq >= held.read_seq;
  room.amend(isReadFurther ? row : { ...row, read_seq: held.read_seq, unread: held.unread });
  // With no history to be kept whole, the row is all there was to catch up with.
  if (room.history.get().status === 'empty') room.pos = Math.max(room.pos, row.last_pos);
}
