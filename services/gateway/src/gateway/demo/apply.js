/** Owns what each frame type changes in the store: one short function per type, in one table. */

/** The replay came before this frame: where it doesn't reach up to `last_pos`, history has to be read again. */
function subscribed(store, conversation, frame) {
  const reaches = conversation.loaded && (conversation.pos ?? 0) >= frame.last_pos;
  conversation.loaded = reaches && frame.recovered !== false;
  conversation.wanted = conversation.subscribed = true;
  conversation.pos = frame.last_pos;
  Object.assign(conversation.info, { last_seq: frame.last_seq, last_pos: frame.last_pos, read_seq: frame.read_seq });
  for (const user of conversation.people.keys()) store.presence.delete(user);
  for (const user of frame.online ?? []) store.seen(user, 'online');
  store.restIsOffline(conversation);
  return { history: conversation.loaded ? undefined : frame.conversation_id, people: frame.conversation_id };
}

function unsubscribed(_store, conversation) {
  conversation.wanted = conversation.subscribed = false;
  conversation.typists.clear();
}

function messageState(store, conversation, frame) {
  if (frame.data?.id) store.merge(conversation, frame.data);
}

/** Sending moves the sender's own read position; other numbers are the server's to tell. */
function messageNew(store, conversation, frame) {
  const message = frame.data;
  store.merge(conversation, message);
  conversation.typists.delete(message.sender_id);
  conversation.info.last_message = message;
  conversation.info.last_seq = Math.max(conversation.info.last_seq ?? 0, message.seq);
  const reads = message.sender_id === store.me && message.seq > (conversation.info.read_seq ?? 0);
  if (reads) ownNumbers(store, conversation, { unread: 0, read_seq: message.seq });
  return { said: message, list: !conversation.listed };
}

function messageRead(_store, conversation, frame) {
  const before = conversation.reads.get(frame.user_id) ?? 0;
  conversation.reads.set(frame.user_id, Math.max(before, frame.read_seq));
}

function ownNumbers(_store, conversation, frame) {
  for (const field of ['unread', 'read_seq', 'last_seq']) {
    if (frame[field] !== undefined) conversation.info[field] = frame[field];
  }
}

function conversationState(_store, conversation, frame) {
  Object.assign(conversation.info, frame.data);
  return { list: !conversation.listed, people: frame.conversation_id };
}

function conversationGone(_store, conversation) {
  conversation.listed = false;
  conversation.wanted = conversation.subscribed = conversation.loaded = false;
}

function participantState(store, conversation, frame) {
  conversation.people.set(frame.user_id, frame.role);
  return { list: frame.user_id === store.me, people: frame.conversation_id };
}

function participantRemoved(store, conversation, frame) {
  conversation.people.delete(frame.user_id);
  if (frame.user_id === store.me) conversationGone(store, conversation);
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

const presence = (status) => (store, _conversation, frame) => store.seen(frame.user_id, status, frame.last_seen_at);

function presenceRows(store, _conversation, frame) {
  for (const row of frame.users ?? []) store.seen(row.user_id, row.status, row.last_seen_at);
}

/** A map and no object: a frame's type is text from outside, and an object has names of its own. */
export const APPLY = new Map(Object.entries({
  subscribed,
  unsubscribed,
  'message.sent': messageState,
  'message.new': messageNew,
  'message.edited': messageState,
  'message.deleted': messageState,
  'message.read': messageRead,
  'read.confirmed': ownNumbers,
  'unread.updated': ownNumbers,
  'conversation.created': conversationState,
  'conversation.updated': conversationState,
  'conversation.deleted': conversationGone,
  'participant.added': participantState,
  'participant.updated': participantState,
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
