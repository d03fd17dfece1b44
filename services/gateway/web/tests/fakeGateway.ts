/**
 * A fake gateway in memory. It keeps the promises of the protocol, over a link that a test can make as bad as
 * it likes.
 */

import { vi } from 'vitest';
import { mentionsUser } from '../src/lib/core/contract/mentions.ts';
import type { ConversationRow, Message } from '../src/lib/core/contract/wire.ts';
import { FakeMarks } from './fakeMarks.ts';
import { FakeSearches } from './fakeSearches.ts';
import { FakeSocket, type Json, type SocketPeer } from './fakeSocket.ts';

/** The behaviour of the network between client and gateway. By default it is perfect. */
export interface NetworkConditions {
  /**
   * Milliseconds until a frame arrives; null if it never does. `isLive` is true for an event that is not an
   * answer.
   */
  delay: (isLive: boolean) => number | null;
  /** How many times the frame arrives. */
  copies: () => number;
}

const PERFECT: NetworkConditions = { delay: () => 1, copies: () => 1 };
const LIMITS = {
  frame_bytes: 131_072,
  content_chars: 10_000,
  messages_per_s: 30,
  frames_per_s: 100,
  max_sockets: 50,
  typing_ttl_ms: 6_000,
  resume_max_events: 500,
  presence_grace_ms: 10_000,
};

export class FakeGateway implements SocketPeer {
  network: NetworkConditions = PERFECT;
  readonly sockets: FakeSocket[] = [];
  readonly live = new Set<FakeSocket>();
  readonly calls: string[] = [];
  readonly messages: Message[] = [];
  readonly marks = new FakeMarks(this);
  readonly searches = new FakeSearches(this);
  /** What happens when a new socket opens. */
  onOpen: (socket: FakeSocket) => void = (socket) => this.welcome(socket);
  /** A frame that answers a send instead of the usual answer, or null. */
  refusalOf: (frame: Json) => Json | null = () => null;
  /** The gateway's clock minus the browser's. It is negative for a browser that is ahead. */
  offsetMs = 0;
  /** Whether a command gets no answer. */
  isIgnored: (frame: Json) => boolean = () => false;
  resumeMax = 500;
  isPresenceAvailable = true;
  isUp = true;
  readonly conversation = '0193c0de-0000-7000-8000-000000000001';
  pos = 1;
  /** The `seq` from which the user has marked messages as unread. */
  markedUnreadFrom: number | null = null;
  #sessions = 0;
  #log: Json[] = [];

  /** Replaces the network by this gateway. */
  install(): void {
    const gateway = this;
    const make = function (this: unknown, url: string, protocols: string[]) {
      return new FakeSocket(gateway, url, protocols);
    };
    vi.stubGlobal('WebSocket', Object.assign(make, { OPEN: 1 }));
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => this.#fetch(new URL(url), init));
  }

  now(): number {
    return Date.now() + this.offsetMs;
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no socket was opened');
    return socket;
  }

  transmit(arrive: () => void, isLive = false, inOrder = (delay: number) => delay): void {
    for (let copy = this.network.copies(); copy > 0; copy -= 1) {
      const delay = this.network.delay(isLive);
      if (delay !== null) setTimeout(arrive, inOrder(delay));
    }
  }

  opened(socket: FakeSocket): void {
    if (this.isUp) setTimeout(() => this.onOpen(socket), 1);
    else setTimeout(() => socket.end(1006), 1);
  }

  welcome(socket: FakeSocket): void {
    if (socket.readyState !== 1) return;
    this.live.add(socket);
    this.#sessions += 1;
    // The first frame always arrives unchanged: without it the socket does not count as open.
    const data = JSON.stringify({
      type: 'system',
      event: 'connected',
      message: 'Connected to messenger',
      timestamp: new Date(this.now()).toISOString(),
      user_id: 1,
      session_id: `session-${this.#sessions}`,
      protocol: 1,
      heartbeat_ms: 25_000,
      limits: LIMITS,
      features: ['users', 'reactions', 'pins', 'files', 'search'],
    });
    setTimeout(() => socket.onmessage?.({ data }), 1);
  }

  nextPos(): number {
    this.pos += 1;
    return this.pos;
  }

  /** A user sends a message. The gateway stores it and sends the event. */
  storeMessage(
    content: string,
    sender = 2,
    clientId: string | null = null,
    mentioned: Pick<Message, 'mentions'> = {},
  ): Message {
    this.pos += 1;
    const message: Message = {
      id: `m${this.messages.length + 1}`,
      conversation_id: this.conversation,
      seq: this.messages.length + 1,
      pos: this.pos,
      version: 1,
      sender_id: sender,
      content,
      message_type: 'text',
      client_message_id: clientId,
      reply_to: null,
      file_url: null,
      file_name: null,
      file_size: null,
      created_at: new Date().toISOString(),
      edited_at: null,
      deleted_at: null,
      ...mentioned,
    };
    this.messages.push(message);
    this.publish({ type: 'message.new', conversation_id: this.conversation, pos: this.pos, data: message });
    return message;
  }

  edit(seq: number, content: string, mentioned: Pick<Message, 'mentions'> = {}): void {
    this.#change('message.edited', seq, { content, edited_at: new Date().toISOString(), ...mentioned });
  }

  delete(seq: number): void {
    this.#change('message.deleted', seq, { content: null, deleted_at: new Date().toISOString() });
  }

  #change(type: 'message.edited' | 'message.deleted', seq: number, change: Partial<Message>): void {
    const old = this.messages[seq - 1];
    if (!old) throw new Error('no such message');
    this.pos += 1;
    const data = { ...old, ...change, version: old.version + 1, pos: this.pos };
    if (data.deleted_at) delete data.mentions;
    this.messages[seq - 1] = data;
    const named = { conversation_id: this.conversation, message_id: data.id };
    this.publish({ type, ...named, pos: this.pos, data });
  }

  publish(frame: Json): void {
    this.#log.push(frame);
    for (const socket of this.live) socket.deliver(frame);
  }

  handle(socket: FakeSocket, frame: Json): void {
    if (this.isIgnored(frame)) return;
    if (frame.type === 'ping')
      socket.deliver({
        type: 'pong',
        ts: null,
        timestamp: new Date(this.now()).toISOString(),
        ref: frame.ref ?? '',
      });
    else if (frame.type === 'message.send') this.#send(socket, frame);
    else if (frame.type === 'reaction.set') this.#react(socket, frame);
    else if (frame.type === 'message.pin' || frame.type === 'message.unpin') this.#pin(socket, frame);
    else if (frame.type === 'resume') this.#resume(socket, frame);
    else if (frame.type.startsWith('presence.')) this.#presence(socket, frame);
    else if (frame.type === 'auth.refresh')
      socket.deliver({ type: 'auth.ok', expires_at: '', ref: frame.ref ?? '' });
    else socket.deliver({ type: 'typing.ok', conversation_id: this.conversation, ref: frame.ref ?? '' });
  }

  row(): ConversationRow {
    return {
      id: this.conversation,
      type: 'group',
      title: 'Tea',
      created_by: 1,
      created_at: '2025-01-01T00:00:00Z',
      last_message: this.messages.at(-1) ?? null,
      last_seq: this.messages.length,
      last_pos: this.pos,
      read_seq: 0,
      unread: 0,
      unread_mentions: this.#mentions.length,
      participants_count: 2,
      marked_unread_from: this.markedUnreadFrom,
      muted: false,
      notify: 'all',
      participant_ids: null,
    };
  }

  /** The messages that mention the user, of which the gateway has been told nothing as read. */
  get #mentions(): Message[] {
    return this.messages.filter((message) => mentionsUser(message, 1)).reverse();
  }

  #send(socket: FakeSocket, frame: Json): void {
    const refusal = this.refusalOf(frame);
    if (refusal) return socket.deliver({ ...refusal, ref: frame.ref ?? '' });
    const id = String(frame.client_message_id);
    const known = this.messages.find((message) => message.client_message_id === id);
    const data = known ?? this.storeMessage(String(frame.content), 1, id);
    const named = { message_id: data.id, conversation_id: this.conversation };
    socket.deliver({ type: 'message.sent', ...named, data, duplicate: !!known, ref: frame.ref ?? '' });
  }

  #resume(socket: FakeSocket, frame: Json): void {
    const from = (frame.positions as Record<string, number>)[this.conversation] ?? 0;
    const missed = this.#log.filter((event) => Number(event.pos) > from);
    const recovered = missed.length <= this.resumeMax && from <= this.pos;
    const latest = this.messages.filter((message) => message.pos > from).sort((a, b) => a.pos - b.pos);
    if (recovered) {
      for (const data of latest) socket.deliver(replayed(data, from, missed));
      for (const data of this.marks.replayed(from)) socket.deliver(data);
    }
    const outcome = { [this.conversation]: { from, to: this.pos, recovered } };
    socket.deliver({ type: 'resumed', conversations: outcome, ref: frame.ref ?? '' });
  }

  #react(socket: FakeSocket, frame: Json): void {
    const [id, emoji] = [String(frame.message_id), String(frame.emoji)];
    const refusal = this.refusalOf(frame);
    if (refusal) return socket.deliver({ ...refusal, ref: frame.ref ?? '' });
    this.marks.react(id, [{ user_id: 1, emoji, on: frame.on === true }]);
    const answer = { counts: this.marks.counts(id), mine: this.marks.mine(id) };
    socket.deliver({ type: 'reaction.ok', message_id: id, ...answer, ref: frame.ref ?? '' });
  }

  #pin(socket: FakeSocket, frame: Json): void {
    const refusal = this.refusalOf(frame);
    if (refusal) return socket.deliver({ ...refusal, ref: frame.ref ?? '' });
    const message_id = String(frame.message_id);
    this.marks.pin(message_id, frame.type === 'message.pin');
    const conversation_id = this.conversation;
    socket.deliver({ type: 'pin.ok', message_id, conversation_id, ref: frame.ref ?? '' });
  }

  #presence(socket: FakeSocket, frame: Json): void {
    if (!this.isPresenceAvailable) return this.#error(socket, frame, 'unavailable', true);
    const ids = frame.type === 'presence.watch' ? (frame.user_ids as number[]) : [];
    const users = ids.map((id) => ({ user_id: id, status: 'online', last_seen_at: null }));
    socket.deliver({ type: 'presence.state', users, ref: frame.ref ?? '' });
  }

  #error(socket: FakeSocket, frame: Json, code: string, retryable: boolean): void {
    socket.deliver({ type: 'error', message: code, code, retryable, ref: frame.ref ?? '' });
  }

  async #fetch(url: URL, { method = 'GET', body, signal }: RequestInit): Promise<Response> {
    const path = url.pathname.replace('/api/v1/messenger', '');
    this.calls.push(`${method} ${path}${url.search}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (!this.isUp || signal?.aborted) throw new TypeError('Failed to fetch');
    if (method === 'PUT' && path.endsWith('/read'))
      return Response.json(this.#mark(JSON.parse(String(body))));
    const answer = this.#page(path, url.searchParams);
    return answer instanceof Response ? answer : Response.json(answer);
  }

  #mark(body: Json): unknown {
    this.markedUnreadFrom = Number(body.mark_unread_from);
    const { read_seq, unread } = this.row();
    return { read_seq, unread };
  }

  #page(path: string, query: URLSearchParams): unknown {
    if (path === '/conversations') return { items: [this.row()], next_cursor: null };
    if (path === '/sync') {
      const { id, ...row } = this.row();
      return { items: [{ conversation_id: id, ...row }], next_cursor: null };
    }
    if (path === '/mentions') {
      const from = Number(query.get('cursor') ?? 0);
      const to = from + Number(query.get('limit'));
      return {
        items: this.#mentions.slice(from, to),
        next_cursor: to < this.#mentions.length ? `${to}` : null,
      };
    }
    if (path.endsWith('/pins')) return { items: this.marks.pins(this.messages), next_cursor: null };
    if (path === '/search/messages') return this.searches.page(query);
    if (!path.endsWith('/messages')) return { items: [], next_cursor: null };
    const limit = Number(query.get('limit'));
    if (query.has('around')) return this.#around(query.get('around'), limit);
    const after = query.get('after_seq');
    const before = Number(query.get('before_seq') ?? Number.POSITIVE_INFINITY);
    const found =
      after === null
        ? this.messages.filter((message) => message.seq < before).reverse()
        : this.messages.filter((message) => message.seq > Number(after));
    const items = found.slice(0, limit).map((message) => this.marks.read(message));
    return { items, has_more: found.length > limit, next_cursor: null };
  }

  /** Half of the page is older than the message. What one side lacks, the other side has. */
  #around(id: string | null, limit: number): unknown {
    const at = this.messages.findIndex((message) => message.id === id);
    if (at < 0) return Response.json({ code: 'not_found', retryable: false }, { status: 404 });
    const from = Math.max(0, Math.min(at - limit / 2, this.messages.length - limit));
    return {
      items: this.messages.slice(from, from + limit).reverse(),
      has_more: from > 0,
      next_cursor: null,
    };
  }
}

/** A message that is new since `from` is replayed as new, in its latest state. */
function replayed(data: Message, from: number, missed: Json[]): Json {
  const isNew = missed.some(
    (event) => event.type === 'message.new' && (event.data as Message).id === data.id,
  );
  const type = isNew ? 'message.new' : 'message.edited';
  return {
    type,
    conversation_id: data.conversation_id,
    message_id: data.id,
    pos: data.pos,
    data,
    replay: true,
    from,
  };
}

/** Makes a token of user 1 that ends in `ttl` seconds from `now`, by default of the fake clock. */
export function token(ttl = 3600, salt = 0, now = Date.now()): string {
  const claims = { sub: '1', exp: Math.floor(now / 1000) + ttl, salt };
  return `e30.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.c2ln`;
}
