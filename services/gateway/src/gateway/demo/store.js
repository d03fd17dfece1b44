/** Holds what this page knows: conversations, messages, presence. Applies frames; no DOM, no I/O. */

import { FRAME_HANDLERS } from './frameHandlers.js';

const KEPT_MESSAGES = 2_000;

class Conversation {
  info = {}; // the conversation's row, from REST or an event
  messages = new Map(); // id → message, in its latest known state
  participants = new Map(); // user id → role
  readPositions = new Map(); // user id → the last seq that they have read
  typists = new Map(); // user id → when the typing expires
  isListed = false; // in the user's list of conversations
  pos = undefined; // of the last durable event seen on a socket
  isLoaded = false; // the messages reach up to `pos` without a hole
  hasOlder = false; // the server has older messages
  wantsSubscription = false; // subscribe again after a reconnect
  isSubscribed = false; // confirmed on the current socket

  constructor(id) {
    this.id = id;
  }

  ordered() {
    return [...this.messages.values()].sort((a, b) => a.seq - b.seq);
  }

  get title() {
    return this.info.title ?? (this.info.type === 'direct' ? 'Direct conversation' : 'Conversation');
  }
}

export class Store {
  me = null;
  conversations = new Map();
  presence = new Map(); // user id → {status, last_seen_at}
  nextCursor = null;

  start(userId) {
    if (this.me === userId) return;
    this.me = userId;
    this.conversations.clear();
    this.nextCursor = null;
  }

  getOrCreate(id) {
    if (!this.conversations.has(id)) this.conversations.set(id, new Conversation(id));
    return this.conversations.get(id);
  }

  find(id) {
    return this.conversations.get(id);
  }

  message(id) {
    for (const conversation of this.conversations.values()) {
      if (conversation.messages.has(id)) return conversation.messages.get(id);
    }
    return undefined;
  }

  /** Takes a page of the list from REST, newest activity first. The first page replaces the list. */
  addListPage(page, isFirst) {
    if (isFirst) for (const known of this.conversations.values()) known.isListed = false;
    for (const row of page.items) this.#updateRow(this.getOrCreate(row.id), row);
    this.nextCursor = page.next_cursor ?? null;
  }

  /** Ignores the content of a row that frames have overtaken: its state is older. */
  #updateRow(conversation, row) {
    conversation.isListed = true;
    const overtaken = conversation.info.id && row.last_pos < (conversation.pos ?? 0);
    if (!overtaken) Object.assign(conversation.info, row);
  }

  sortedConversations() {
    const when = ({ info }) => info.last_message?.created_at ?? info.created_at ?? '';
    const rows = [...this.conversations.values()].filter((known) => known.isListed);
    return rows.sort((a, b) => when(b).localeCompare(when(a)));
  }

  /**
   * Takes a page of history. Messages merge by `pos`, so a page that frames have overtaken does no harm. The newest
   * page drops all older messages: there may be a hole between them and the page.
   */
  addHistoryPage(id, { items, has_more: more, next_cursor: cursor }, isNewest) {
    const conversation = this.getOrCreate(id);
    if (isNewest && items.length) this.#dropBelow(conversation, Math.min(...items.map((message) => message.seq)));
    for (const message of items) this.merge(conversation, message);
    conversation.hasOlder = more ?? Boolean(cursor);
    conversation.isLoaded = true;
  }

  /** Keeps the later state: a message's `pos` is that of its last change. */
  merge(conversation, message) {
    const known = conversation.messages.get(message.id);
    if (known && known.pos > message.pos) return;
    conversation.messages.set(message.id, message);
    if (conversation.info.last_message?.id === message.id) conversation.info.last_message = message;
    if (conversation.messages.size > KEPT_MESSAGES) this.#dropOldest(conversation);
  }

  #dropBelow(conversation, seq) {
    for (const message of conversation.messages.values()) {
      if (message.seq < seq) conversation.messages.delete(message.id);
    }
  }

  #dropOldest(conversation) {
    conversation.messages.delete(conversation.ordered()[0].id);
    conversation.hasOlder = true;
  }

  /** Takes the participants of a conversation from REST. */
  setParticipants(id, participants) {
    const conversation = this.getOrCreate(id);
    conversation.participants = new Map(participants.map((person) => [person.user_id, person.role]));
    if (conversation.isSubscribed) this.markOthersOffline(conversation);
  }

  /** Marks the other participants as offline: `subscribed` has named all who are online. */
  markOthersOffline({ participants }) {
    for (const user of participants.keys()) if (!this.presence.has(user)) this.setPresence(user, 'offline');
  }

  /** Without a socket nobody's presence is known, and only a replay can complete the messages. */
  socketEnded() {
    this.presence.clear();
    for (const conversation of this.conversations.values()) {
      conversation.isSubscribed = false;
      conversation.isLoaded &&= conversation.wantsSubscription;
      conversation.typists.clear();
    }
  }

  /**
   * Applies one frame and returns what it asks for: `repeat` (dropped), `history` (a conversation to load), `list`
   * (the list to load again), `newMessage` (a message that came live), `participants` (a conversation whose
   * participants are to be loaded again).
   */
  apply(frame) {
    const handler = FRAME_HANDLERS.get(frame.type);
    if (!handler) return {};
    const conversation = typeof frame.conversation_id === 'string' ? this.getOrCreate(frame.conversation_id) : null;
    if (conversation && this.#isRepeat(conversation, frame)) return { repeat: true };
    return handler(this, conversation, frame) ?? {};
  }

  /** Only events move `pos`: an answer with a `ref` may overtake an event that is still to come. */
  #isRepeat(conversation, frame) {
    if (!Number.isInteger(frame.pos) || frame.ref) return false;
    const lastPos = conversation.pos ?? 0;
    if (!frame.replay && frame.pos <= lastPos) return true;
    conversation.pos = Math.max(lastPos, frame.pos);
    return false;
  }

  setPresence(userId, status, lastSeenAt) {
    this.presence.set(userId, { status, last_seen_at: lastSeenAt ?? this.presence.get(userId)?.last_seen_at });
  }

  /** The users who are typing now, and when the first of them expires. */
  typing(conversation, now) {
    for (const [user, until] of conversation.typists) if (until <= now) conversation.typists.delete(user);
    const ends = [...conversation.typists.values()];
    return { users: [...conversation.typists.keys()], next: ends.length ? Math.min(...ends) : null };
  }
}
