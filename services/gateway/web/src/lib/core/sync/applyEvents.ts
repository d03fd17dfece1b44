/**
 * Applies frames to the store: one short function per frame type, in one table. Durable events first pass the
 * rules of `pos`.
 */

import { mentionsUser } from '../contract/mentions.ts';
import type { ConversationRow, EventFrame, FrameOf, Message } from '../contract/wire.ts';
import { firstUnreadSeq } from '../conversations/mentionFinder.ts';
import { NEW_ROW_DEFAULTS, NOTHING_UNREAD, type Room } from '../conversations/room.ts';
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
      return applyMessage(store, room, frame);
    case 'message.reactions':
      return applyReactions(store, room, frame);
    case 'message.files':
      return room.applyFiles(frame);
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

type MessageEvent = Extract<DurableEvent, { type: `message.${'new' | 'edited' | 'deleted'}` }>;

function applyMessage(store: Store, room: Room, { type, data, replay }: MessageEvent): void {
  const row = room.row.get();
  const isNew = data.seq > row.last_seq;
  const isLast = data.seq >= (row.last_message?.seq ?? 0);
  const before = room.find(data.id);
  if (isNew) room.stopTyping(data.sender_id);
  const fields = isNew
    ? readFieldsAfterNew(store, room, data)
    : replay
      ? {}
      : readFieldsAfterChange(store, room, type === 'message.deleted', data, before);
  room.addMessages([data]);
  room.updateRow({
    ...fields,
    last_seq: Math.max(row.last_seq, data.seq),
    last_pos: Math.max(row.last_pos, data.pos),
    ...(isLast ? { last_message: data } : {}),
  });
}

/** Sending moves the sender's own read position and clears a mark as unread. */
function readFieldsAfterNew(store: Store, room: Room, data: Message): Partial<ConversationRow> {
  if (data.sender_id === store.me) return { read_seq: data.seq, ...NOTHING_UNREAD };
  if (data.deleted_at || data.seq < firstUnreadSeq(room)) return {};
  const { unread, unread_mentions } = room.row.get();
  return { unread: unread + 1, unread_mentions: unread_mentions + (mentionsUser(data, store.me) ? 1 : 0) };
}

/**
 * A deleted message no longer counts as unread, and a message that no longer mentions the user does not count as a
 * mention. Of mentions that an edit adds, the gateway tells the new number.
 */
function readFieldsAfterChange(
  store: Store,
  room: Room,
  isDeleted: boolean,
  data: Message,
  before: Message | undefined,
): Partial<ConversationRow> {
  if (data.sender_id === store.me || data.seq < firstUnreadSeq(room)) return {};
  const { unread, unread_mentions } = room.row.get();
  // Whether a message that is not loaded has mentioned the user is not known here.
  if (!before && unread_mentions > 0) store.fetchRequests.emit({ kind: 'list' });
  const isMentionGone = mentionsUser(before, store.me) && !mentionsUser(data, store.me);
  return {
    ...(isDeleted ? { unread: Math.max(0, unread - 1) } : {}),
    ...(isMentionGone ? { unread_mentions: Math.max(0, unread_mentions - 1) } : {}),
  };
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
  const { read_seq, unread, unread_mentions, marked_unread_from } = frame;
  room.updateRow({ read_seq, unread, unread_mentions, marked_unread_from });
}

/** A mark as unread may be newer than this answer, which does not contain it. */
function readConfirmed(store: Store, frame: FrameOf<'read.confirmed'>): void {
  const { conversation_id, read_seq, unread, unread_mentions } = frame;
  const room = store.rooms.get(conversation_id);
  const row = room?.row.get();
  if (row && row.marked_unread_from === null && read_seq >= row.read_seq)
    room?.updateRow({ read_seq, unread, unread_mentions });
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
    store.rooms.get(frame.conversation_id)?.updateRow({ muted: frame.data.muted, notify: frame.data.notify }),
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
