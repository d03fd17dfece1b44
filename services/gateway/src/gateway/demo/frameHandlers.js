/** Applies frames to the store: one short function per frame type, in one table. */

/** The replay came before this frame. If it doesn't reach `last_pos`, history has to be loaded again. */
function subscribed(store, conversation, frame) {
  const isComplete = conversation.isLoaded && (conversation.pos ?? 0) >= frame.last_pos;
  conversation.isLoaded = isComplete && frame.recovered !== false;
  conversation.wantsSubscription = conversation.isSubscribed = true;
  conversation.pos = frame.last_pos;
  Object.assign(conversation.info, { last_seq: frame.last_seq, last_pos: frame.last_pos, read_seq: frame.read_seq });
  for (const user of conversation.participants.keys()) store.presence.delete(user);
  for (const user of frame.online ?? []) store.setPresence(user, 'online');
  store.markOthersOffline(conversation);
  return { history: conversation.isLoaded ? undefined : frame.conversation_id, participants: frame.conversation_id };
}

function unsubscribed(_store, conversation) {
  conversation.wantsSubscription = conversation.isSubscribed = false;
  conversation.typists.clear();
}

function messageChanged(store, conversation, frame) {
  if (frame.data?.id) store.merge(conversation, frame.data);
}

/** Sending moves the sender's own read position. All other numbers come from the server. */
function messageNew(store, conversation, frame) {
  const message = frame.data;
  store.merge(conversation, message);
  conversation.typists.delete(message.sender_id);
  conversation.info.last_message = message;
  conversation.info.last_seq = Math.max(conversation.info.last_seq ?? 0, message.seq);
  const isReadFurther = message.sender_id === store.me && message.seq > (conversation.info.read_seq ?? 0);
  if (isReadFurther) updateReadState(store, conversation, { unread: 0, read_seq: message.seq });
  return { newMessage: message, list: !conversation.isListed };
}

function messageRead(_store, conversation, frame) {
  const before = conversation.readPositions.get(frame.user_id) ?? 0;
  conversation.readPositions.set(frame.user_id, Math.max(before, frame.read_seq));
}

function updateReadState(_store, conversation, frame) {
  for (const field of ['unread', 'read_seq', 'last_seq', 'marked_unread_from']) {
    if (frame[field] !== undefined) conversation.info[field] = frame[field];
  }
}

function conversationChanged(_store, conversation, frame) {
  Object.assign(conversation.info, frame.data);
  return { list: !conversation.isListed, participants: frame.conversation_id };
}

function conversationRemoved(_store, conversation) {
  conversation.isListed = false;
  conversation.wantsSubscription = conversation.isSubscribed = conversation.isLoaded = false;
}

function participantChanged(store, conversation, frame) {
  conversation.participants.set(frame.user_id, frame.role);
  return { list: frame.user_id === store.me, participants: frame.conversation_id };
}

function participantsAdded(store, conversation, frame) {
  for (const user of frame.users) conversation.participants.set(user.user_id, user.role);
  return { list: frame.users.some((user) => user.user_id === store.me), participants: frame.conversation_id };
}

function participantRemoved(store, conversation, frame) {
  conversation.participants.delete(frame.user_id);
  if (frame.user_id === store.me) conversationRemoved(store, conversation);
}

function typingStart(_store, conversation, frame) {
  conversation.typists.set(frame.user_id, performance.now() + (frame.expires_in_ms ?? 6_000));
}

function typingStop(_store, conversation, frame) {
  conversation.typists.delete(frame.user_id);
}

function settings(_store, conversation, frame) {
  Object.assign(conversation.info, frame.data);
}

const presence = (status) => (store, _conversation, frame) =>
  store.setPresence(frame.user_id, status, frame.last_seen_at);

function presenceRows(store, _conversation, frame) {
  for (const row of frame.users ?? []) store.setPresence(row.user_id, row.status, row.last_seen_at);
}

/** A Map, not an object: `type` is text from outside, and could name an object's inherited property. */
export const FRAME_HANDLERS = new Map(Object.entries({
  subscribed,
  unsubscribed,
  'message.sent': messageChanged,
  'message.new': messageNew,
  'message.edited': messageChanged,
  'message.deleted': messageChanged,
  'message.read': messageRead,
  'read.confirmed': updateReadState,
  'unread.updated': updateReadState,
  'conversation.created': conversationChanged,
  'conversation.updated': conversationChanged,
  'conversation.deleted': conversationRemoved,
  'participant.added': participantsAdded,
  'participant.updated': participantChanged,
  'participant.removed': participantRemoved,
  'settings.updated': settings,
  'typing.start': typingStart,
  'typing.stop': typingStop,
  'user.online': presence('online'),
  'user.away': presence('away'),
  'user.offline': presence('offline'),
  'presence.batch': presenceRows,
  'presence.state': presenceRows,
}));
