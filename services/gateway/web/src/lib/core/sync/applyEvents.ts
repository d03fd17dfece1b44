/**
 * Applies frames to the store: one short function per frame type, in one table. Durable events first pass the
 * rules of `pos`.
 */

import type { ConversationRow, EventFrame, FrameOf, Message } from '../contract/wire.ts';
import { NEW_ROW_DEFAULTS, type Room } from '../conversations/room.ts';
import type { Store } from '../conversations/store.ts';
import type { SharedEvent } from '../tabs/messages.ts';

/** A durable event of a conversation. Answers that share a type with an event have no `pos`. */
type DurableEvent = Extract<EventFrame, { pos: number; conversation_id: string }>;

export function eventHandler(store: Store): (event: SharedEvent) => void {
  return (event) => {
    if (isDurable(event)) applyDurable(store, event);
    else HANDLER_OF.get(event.type)?.(store, event);
  };
}

const isDurable = (event: SharedEvent): event is DurableEvent =>
  'pos' in event && typeof event.pos === 'number';

function applyDurable(store: Store, frame: DurableEvent): void {
  const room = store.rooms.get(frame.conversation_id);
  if (frame.type === 'conversation.deleted') return store.remove(frame.conversation_id);
  if (!room) return unknownConversation(store, frame);
  if (frame.replay) return applyChange(store, room, frame);
  if (room.heldFrames) room.heldFrames.push(frame);
  else if (frame.pos > room.pos) applyInOrder(store, room, frame);
}

/**
 * Applies the next event in order. If an event is missing before it, it is held back and a replay is
 * requested.
 */
function applyInOrder(store: Store, room: Room, frame: DurableEvent): void {
  const isRemoved = frame.type === 'participant.removed' && frame.user_id === store.me;
  if (frame.pos > room.pos + 1 && !isRemoved) {
    room.heldFrames = [frame];
    return store.fetchRequests.emit({ kind: 'replay', id: room.id });
  }
  room.pos = frame.pos;
  const before = room.row.get().last_seq;
  applyChange(store, room, frame);
  const isIncoming =
    frame.type === 'message.new' && frame.data.sender_id !== store.me && frame.data.seq > before;
  if (isIncoming) store.incoming.emit({ message: frame.data, conversation: room.row.get() });
}

function unknownConversation(store: Store, frame: DurableEvent): void {
  if (frame.type === 'participant.removed' && frame.user_id === store.me) return;
  if (frame.type === 'conversation.created') created(store, frame);
  else {
    store.unknownPositions.set(frame.conversation_id, frame.pos);
    store.fetchRequests.emit({ kind: 'list' });
  }
}

function created(store: Store, { data }: FrameOf<'conversation.created'>): void {
  const { participants, ...rest } = data;
  store.add({ ...rest, ...NEW_ROW_DEFAULTS }).participants.set(participants);
}

function applyChange(store: Store, room: Room, frame: DurableEvent): void {
  switch (frame.type) {
    case 'message.new':
    case 'message.edited':
    case 'message.deleted':
      return applyMessage(store, room, frame.data, frame.type === 'message.deleted' && !frame.replay);
    case 'message.reactions':
      return applyReactions(store, room, frame);
    case 'conversation.pins':
      return applyPins(store, room, frame);
    case 'conversation.updated':
      return room.updateRow({ title: frame.data.title, last_pos: frame.pos });
    case 'participant.added':
      return room.addParticipants(frame.users);
    case 'participant.updated':
      return room.addParticipants([frame]);
    case 'participant.removed':
      return frame.user_id === store.me ? store.remove(room.id) : room.removeParticipant(frame.user_id);
  }
}

function applyReactions(store: Store, room: Room, frame: FrameOf<'message.reactions'>): void {
  const isLoaded = room.find(frame.message_id) !== undefined;
  const isInDoubt = room.reactions.apply(frame, isLoaded);
  if (isInDoubt) store.fetchRequests.emit({ kind: 'reactions', id: room.id });
}

function applyPins(store: Store, room: Room, frame: FrameOf<'conversation.pins'>): void {
  const isComplete = room.pins.apply(frame, (id) => room.find(id));
  if (!isComplete) store.fetchRequests.emit({ kind: 'pins', id: room.id });
}

function applyMessage(store: Store, room: Room, data: Message, isJustDeleted: boolean): void {
  const row = room.row.get();
  const isNew = data.seq > row.last_seq;
  const isLast = data.seq >= (row.last_message?.seq ?? 0);
  if (isNew) room.stopTyping(data.sender_id);
  room.addMessages([data]);
  room.updateRow({
    ...readFieldsAfter(store, row, data, isNew, isJustDeleted),
    last_seq: Math.max(row.last_seq, data.seq),
    last_pos: Math.max(row.last_pos, data.pos),
    ...(isLast ? { last_message: data } : {}),
  });
}

/**
 * Computes the reading fields after a message. Sending moves the sender's own read position and clears a mark
 * as unread. A deleted message no longer counts as unread.
 */
function readFieldsAfter(
  store: Store,
  row: ConversationRow,
  data: Message,
  isNew: boolean,
  isJustDeleted: boolean,
) {
  const isMine = data.sender_id === store.me;
  if (isNew && isMine) return { read_seq: data.seq, unread: 0, marked_unread_from: null };
  if (isMine || data.seq < (row.marked_unread_from ?? row.read_seq + 1)) return {};
  if (isNew) return { unread: row.unread + (data.deleted_at ? 0 : 1) };
  return isJustDeleted ? { unread: Math.max(0, row.unread - 1) } : {};
}

/** `to` is the conversation's current `pos`. Live frames that arrived during the replay follow it. */
function resumed(store: Store, frame: FrameOf<'resumed'>): void {
  for (const [id, outcome] of Object.entries(frame.conversations)) {
    const room = store.rooms.get(id);
    if (!room) continue;
    if (outcome.from > room.pos) {
      // Another tab requested the replay from a later position than this tab has.
      releaseHeldFrames(store, room);
      store.fetchRequests.emit({ kind: 'replay', id });
      continue;
    }
    room.pos = Math.max(room.pos, outcome.to);
    releaseHeldFrames(store, room);
    if (outcome.recovered) store.checkForHoles(room);
    else store.fetchRequests.emit({ kind: 'history', id });
  }
}

function releaseHeldFrames(store: Store, room: Room): void {
  const waiting = room.heldFrames ?? [];
  room.heldFrames = null;
  for (const frame of waiting) applyDurable(store, frame as DurableEvent);
}

function notResumed(store: Store, { ids }: { ids: string[] }): void {
  // Held frames are above `pos`, so the next replay brings them again.
  for (const id of ids) {
    const room = store.rooms.get(id);
    if (room) room.heldFrames = null;
  }
}

function unreadUpdated(store: Store, frame: FrameOf<'unread.updated'>): void {
  const room = store.rooms.get(frame.conversation_id);
  if (!room || frame.read_seq < room.row.get().read_seq) return;
  const { read_seq, unread, marked_unread_from } = frame;
  room.updateRow({ read_seq, unread, marked_unread_from });
}

/** A mark as unread may be newer than this answer, which does not contain it. */
function readConfirmed(store: Store, { conversation_id, read_seq, unread }: FrameOf<'read.confirmed'>): void {
  const room = store.rooms.get(conversation_id);
  const row = room?.row.get();
  if (row && row.marked_unread_from === null && read_seq >= row.read_seq)
    room?.updateRow({ read_seq, unread });
}

function subscribed(store: Store, frame: FrameOf<'subscribed'>): void {
  const members = store.rooms.get(frame.conversation_id)?.participants.get() ?? [];
  const online = new Set(frame.online);
  for (const { user_id: id } of members) {
    const known = store.presenceOf(id).get()?.status;
    if (!online.has(id) && known !== 'away') store.setPresence(id, 'offline');
  }
  for (const id of online) if (store.presenceOf(id).get()?.status !== 'away') store.setPresence(id, 'online');
}

function presence(store: Store, { users }: FrameOf<'presence.batch' | 'presence.state'>): void {
  for (const row of users) store.setPresence(row.user_id, row.status, row.last_seen_at);
}

function resuming(store: Store, { ids }: { ids: string[] }): void {
  for (const id of ids) {
    const room = store.rooms.get(id);
    if (room) room.heldFrames ??= [];
  }
}

function typing(store: Store, frame: FrameOf<'typing.start'>): void {
  const isEvent = 'expires_in_ms' in frame;
  if (!isEvent || frame.user_id === store.me) return;
  store.rooms.get(frame.conversation_id)?.startTyping(frame.user_id, frame.expires_in_ms);
}

type Synced = Extract<SharedEvent, { type: 'local.synced' }>;

const HANDLERS: Record<string, (store: Store, event: never) => void> = {
  resumed,
  subscribed,
  'local.resuming': resuming,
  'local.not_resumed': notResumed,
  'local.syncing': (store) => store.beginSync(),
  'local.synced': (store, { standings }: Synced) => store.sync(standings),
  'message.sent': (store, frame: FrameOf<'message.sent'>) =>
    store.rooms.get(frame.conversation_id)?.addMessages([frame.data]),
  'message.read': (store, frame: FrameOf<'message.read'>) =>
    store.rooms.get(frame.conversation_id)?.markReadBy(frame.user_id, frame.read_seq),
  'read.confirmed': readConfirmed,
  'unread.updated': unreadUpdated,
  'settings.updated': (store, frame: FrameOf<'settings.updated'>) =>
    store.rooms.get(frame.conversation_id)?.updateRow({ muted: frame.data.muted }),
  'typing.start': typing,
  'typing.stop': (store, frame: FrameOf<'typing.stop'>) =>
    'user_id' in frame && store.rooms.get(frame.conversation_id)?.stopTyping(frame.user_id),
  'user.online': (store, frame: FrameOf<'user.online'>) => store.setPresence(frame.user_id, 'online'),
  'user.away': (store, frame: FrameOf<'user.away'>) => store.setPresence(frame.user_id, 'away'),
  'user.offline': (store, frame: FrameOf<'user.offline'>) =>
    store.setPresence(frame.user_id, 'offline', frame.last_seen_at),
  'presence.batch': presence,
  'presence.state': presence,
};

/**
 * This is a Map and not an object, because frame types come from outside and could match an object's built-in
 * names.
 */
const HANDLER_OF = new Map(Object.entries(HANDLERS)) as Map<
  string,
  (store: Store, event: SharedEvent) => void
>;
