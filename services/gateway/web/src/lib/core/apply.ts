/** Owns what each frame changes: one short function per type, in one table, behind the rules of `pos`. */

import type { Told } from './line.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';
import type { ConversationRow, EventFrame, FrameOf, Message, UserId } from './wire.ts';

/** Numbered changes of a conversation; answers that share a type with an event have no `pos`. */
type Durable = Extract<EventFrame, { pos: number; conversation_id: string }>;

export function applied(store: Store): (told: Told) => void {
  return (told) => {
    if (isDurable(told)) durable(store, told);
    else TABLE.get(told.type)?.(store, told);
  };
}

const isDurable = (told: Told): told is Durable => 'pos' in told && typeof told.pos === 'number';

function durable(store: Store, frame: Durable): void {
  const room = store.rooms.get(frame.conversation_id);
  if (frame.type === 'conversation.deleted') return store.remove(frame.conversation_id);
  if (!room) return unknown(store, frame);
  if (frame.replay) return state(store, room, frame);
  if (room.waiting) room.waiting.push(frame);
  else if (frame.pos > room.pos) next(store, room, frame);
}

/** In order it is applied; behind a hole it waits for what is missing. */
function next(store: Store, room: Room, frame: Durable): void {
  const isRemoved = frame.type === 'participant.removed' && frame.user_id === store.me;
  if (frame.pos > room.pos + 1 && !isRemoved) {
    room.waiting = [frame];
    return store.wishes.tell({ kind: 'replay', id: room.id });
  }
  room.pos = frame.pos;
  const before = room.row.get().last_seq;
  state(store, room, frame);
  const isIncoming =
    frame.type === 'message.new' && frame.data.sender_id !== store.me && frame.data.seq > before;
  if (isIncoming) store.incoming.tell({ message: frame.data, conversation: room.row.get() });
}

function unknown(store: Store, frame: Durable): void {
  if (frame.type === 'participant.removed' && frame.user_id === store.me) return;
  if (frame.type === 'conversation.created') created(store, frame);
  else {
    store.strays.set(frame.conversation_id, frame.pos);
    store.wishes.tell({ kind: 'list' });
  }
}

function created(store: Store, { data }: FrameOf<'conversation.created'>): void {
  const { participants, ...rest } = data;
  const row: ConversationRow = { ...rest, last_message: null, read_seq: 0, unread: 0, muted: false };
  store.add(row).participants.set(participants);
}

function state(store: Store, room: Room, frame: Durable): void {
  switch (frame.type) {
    case 'message.new':
    case 'message.edited':
    case 'message.deleted':
      return message(store, room, frame.data, frame.type === 'message.deleted' && !frame.replay);
    case 'conversation.updated':
      return room.amend({ title: frame.data.title, last_pos: frame.pos });
    case 'participant.added':
    case 'participant.updated':
      return room.joined({
        user_id: frame.user_id,
        role: frame.role,
        joined_at: joinedAt(room, frame.user_id),
      });
    case 'participant.removed':
      return frame.user_id === store.me ? store.remove(room.id) : room.left(frame.user_id);
  }
}

const joinedAt = (room: Room, id: UserId) =>
  room.participants.get()?.find((each) => each.user_id === id)?.joined_at ?? new Date().toISOString();

function message(store: Store, room: Room, data: Message, isJustDeleted: boolean): void {
  const row = room.row.get();
  const isNew = data.seq > row.last_seq;
  const isLast = data.seq >= (row.last_message?.seq ?? 0);
  if (isNew) room.stopsTyping(data.sender_id);
  room.lay([data]);
  room.amend({
    ...counted(store, row, data, isNew, isJustDeleted),
    last_seq: Math.max(row.last_seq, data.seq),
    last_pos: Math.max(row.last_pos, data.pos),
    ...(isLast ? { last_message: data } : {}),
  });
}

/** Sending moves the sender's own read position; a message that is deleted counts no more. */
function counted(store: Store, row: ConversationRow, data: Message, isNew: boolean, isJustDeleted: boolean) {
  const isMine = data.sender_id === store.me;
  if (isNew && isMine) return { read_seq: data.seq, unread: 0 };
  if (isMine || data.seq <= row.read_seq) return {};
  if (isNew) return { unread: row.unread + (data.deleted_at ? 0 : 1) };
  return isJustDeleted ? { unread: Math.max(0, row.unread - 1) } : {};
}

/** `to` is where the conversation stands now; what came live meanwhile follows on it. */
function resumed(store: Store, frame: FrameOf<'resumed'>): void {
  for (const [id, outcome] of Object.entries(frame.conversations)) {
    const room = store.rooms.get(id);
    if (!room) continue;
    if (outcome.from > room.pos) {
      // Another tab asked from further on than we are.
      letGo(store, room);
      store.wishes.tell({ kind: 'replay', id });
      continue;
    }
    room.pos = Math.max(room.pos, outcome.to);
    letGo(store, room);
    if (outcome.recovered) store.check(room);
    else store.wishes.tell({ kind: 'history', id });
  }
}

function letGo(store: Store, room: Room): void {
  const waiting = room.waiting ?? [];
  room.waiting = null;
  for (const frame of waiting) durable(store, frame as Durable);
}

function notResumed(store: Store, { ids }: { ids: string[] }): void {
  // What waited is asked for again: it lies above `pos` still.
  for (const id of ids) {
    const room = store.rooms.get(id);
    if (room) room.waiting = null;
  }
}

function numbers(store: Store, frame: FrameOf<'unread.updated' | 'read.confirmed'>): void {
  const room = store.rooms.get(frame.conversation_id);
  if (!room || frame.read_seq < room.row.get().read_seq) return;
  room.amend({ read_seq: frame.read_seq, unread: frame.unread });
}

function subscribed(store: Store, frame: FrameOf<'subscribed'>): void {
  const members = store.rooms.get(frame.conversation_id)?.participants.get() ?? [];
  const online = new Set(frame.online);
  for (const { user_id: id } of members) {
    const known = store.person(id).get()?.status;
    if (!online.has(id) && known !== 'away') store.seen(id, 'offline');
  }
  for (const id of online) if (store.person(id).get()?.status !== 'away') store.seen(id, 'online');
}

function people(store: Store, { users }: FrameOf<'presence.batch' | 'presence.state'>): void {
  for (const row of users) store.seen(row.user_id, row.status, row.last_seen_at);
}

function resuming(store: Store, { ids }: { ids: string[] }): void {
  for (const id of ids) {
    const room = store.rooms.get(id);
    if (room) room.waiting ??= [];
  }
}

function typing(store: Store, frame: FrameOf<'typing.start'>): void {
  const isEvent = 'expires_in_ms' in frame;
  if (!isEvent || frame.user_id === store.me) return;
  store.rooms.get(frame.conversation_id)?.types(frame.user_id, frame.expires_in_ms);
}

type Synced = Extract<Told, { type: 'local.synced' }>;

const RULES: Record<string, (store: Store, told: never) => void> = {
  resumed,
  subscribed,
  'local.resuming': resuming,
  'local.not_resumed': notResumed,
  'local.syncing': (store) => store.beginSync(),
  'local.synced': (store, { standings }: Synced) => store.sync(standings),
  'message.sent': (store, frame: FrameOf<'message.sent'>) =>
    store.rooms.get(frame.conversation_id)?.lay([frame.data]),
  'message.read': (store, frame: FrameOf<'message.read'>) =>
    store.rooms.get(frame.conversation_id)?.hasRead(frame.user_id, frame.read_seq),
  'read.confirmed': numbers,
  'unread.updated': numbers,
  'settings.updated': (store, frame: FrameOf<'settings.updated'>) =>
    store.rooms.get(frame.conversation_id)?.amend({ muted: frame.data.muted }),
  'typing.start': typing,
  'typing.stop': (store, frame: FrameOf<'typing.stop'>) =>
    'user_id' in frame && store.rooms.get(frame.conversation_id)?.stopsTyping(frame.user_id),
  'user.online': (store, frame: FrameOf<'user.online'>) => store.seen(frame.user_id, 'online'),
  'user.away': (store, frame: FrameOf<'user.away'>) => store.seen(frame.user_id, 'away'),
  'user.offline': (store, frame: FrameOf<'user.offline'>) =>
    store.seen(frame.user_id, 'offline', frame.last_seen_at),
  'presence.batch': people,
  'presence.state': people,
};

/** A map and no object: a frame's type is text from outside, and an object has names of its own. */
const TABLE = new Map(Object.entries(RULES)) as Map<string, (store: Store, told: Told) => void>;
