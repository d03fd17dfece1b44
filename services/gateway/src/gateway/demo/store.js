/** Owns what this page knows: conversations, their messages, who is there. It applies frames; no DOM, no I/O. */

import { APPLY } from './apply.js';

const KEPT_MESSAGES = 2_000;

class Conversation {
  info = {}; // the row of the list, as REST or an event gave it
  messages = new Map(); // id → message, in its latest known state
  people = new Map(); // user id → role
  reads = new Map(); // user id → the seq read up to
  typists = new Map(); // user id → when the sign of life runs out
  listed = false; // among my conversations
  pos = undefined; // the last durable change seen on a socket
  loaded = false; // what is held reaches up to `pos` without a hole
  older = false; // there is more history than what is held
  wanted = false; // to be subscribed again after a reconnect
  subscribed = false; // confirmed on the present socket

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

  at(id) {
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

  /** The list as REST gives it, newest activity first; a first page replaces what was listed before. */
  list(page, isFirst) {
    if (isFirst) for (const known of this.conversations.values()) known.listed = false;
    for (const row of page.items) this.#row(this.at(row.id), row);
    this.nextCursor = page.next_cursor ?? null;
  }

  /** A row that frames have overtaken on its way says nothing new. */
  #row(conversation, row) {
    conversation.listed = true;
    const overtaken = conversation.info.id && row.last_pos < (conversation.pos ?? 0);
    if (!overtaken) Object.assign(conversation.info, row);
  }

  listed() {
    const when = ({ info }) => info.last_message?.created_at ?? info.created_at ?? '';
    const rows = [...this.conversations.values()].filter((known) => known.listed);
    return rows.sort((a, b) => when(b).localeCompare(when(a)));
  }

  /**
   * A page of history. Messages merge by `pos`, so a page that was overtaken by a frame does no harm. The newest page
   * starts afresh: what is older than it may have a hole before it.
   */
  page(id, { items, has_more: more, next_cursor: cursor }, isNewest) {
    const conversation = this.at(id);
    if (isNewest && items.length) this.#dropBelow(conversation, Math.min(...items.map((message) => message.seq)));
    for (const message of items) this.merge(conversation, message);
    conversation.older = more ?? Boolean(cursor);
    conversation.loaded = true;
  }

  /** A message's `pos` is that of its last change: the higher one is the later state. */
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
    conversation.older = true;
  }

  /** People of a conversation as REST gives them. */
  members(id, participants) {
    const conversation = this.at(id);
    conversation.people = new Map(participants.map((person) => [person.user_id, person.role]));
    if (conversation.subscribed) this.restIsOffline(conversation);
  }

  /** `subscribed` named those who are online, so the others are not. */
  restIsOffline({ people }) {
    for (const user of people.keys()) if (!this.presence.has(user)) this.seen(user, 'offline');
  }

  /** Without a socket nobody's state is known, and only a replay can complete what is held. */
  socketGone() {
    this.presence.clear();
    for (const conversation of this.conversations.values()) {
      conversation.subscribed = false;
      conversation.loaded &&= conversation.wanted;
      conversation.typists.clear();
    }
  }

  /**
   * Apply one frame and say what it asks for: `repeat` (dropped), `history` (a conversation to load), `list` (the
   * list to load again), `said` (a message that came live), `people` (a conversation's people to load again).
   */
  apply(frame) {
    const handler = APPLY.get(frame.type);
    if (!handler) return {};
    const conversation = typeof frame.conversation_id === 'string' ? this.at(frame.conversation_id) : null;
    if (conversation && this.#isRepeat(conversation, frame)) return { repeat: true };
    return handler(this, conversation, frame) ?? {};
  }

  /** Only events move the position: an answer with a `ref` may overtake an event that is still to come. */
  #isRepeat(conversation, frame) {
    if (!Number.isInteger(frame.pos) || frame.ref) return false;
    const seen = conversation.pos ?? 0;
    if (!frame.replay && frame.pos <= seen) return true;
    conversation.pos = Math.max(seen, frame.pos);
    return false;
  }

  seen(userId, status, lastSeenAt) {
    this.presence.set(userId, { status, last_seen_at: lastSeenAt ?? this.presence.get(userId)?.last_seen_at });
  }

  /** Who types in it now, and when the first of them runs out. */
  typing(conversation, now) {
    for (const [user, until] of conversation.typists) if (until <= now) conversation.typists.delete(user);
    const ends = [...conversation.typists.values()];
    return { users: [...conversation.typists.keys()], next: ends.length ? Math.min(...ends) : null };
  }
}
