/**
 * Builds and holds all parts that serve one user. It is made when the user is known, and stopped when the
 * user changes.
 */

import { flushListeners, Observable } from './base/observable.ts';
import type { Address } from './connection/address.ts';
import { RestClient } from './connection/restClient.ts';
import type { ServerClock } from './connection/serverClock.ts';
import { SleepDetector } from './connection/sleepDetector.ts';
import { type ConnectionState, SocketConnection } from './connection/socketConnection.ts';
import { TokenRefresher } from './connection/tokenRefresher.ts';
import type { Tokens } from './connection/tokens.ts';
import { mentionsUser } from './contract/mentions.ts';
import type { UserId } from './contract/wire.ts';
import { Actions } from './conversations/actions.ts';
import { MentionFinder } from './conversations/mentionFinder.ts';
import type { Directory } from './conversations/names.ts';
import { People } from './conversations/people.ts';
import { Pinning } from './conversations/pinning.ts';
import { Reacting } from './conversations/reacting.ts';
import { ReadReporter } from './conversations/readReporter.ts';
import type { Room } from './conversations/room.ts';
import { type IncomingMessage, Store } from './conversations/store.ts';
import { Timeline } from './conversations/timeline.ts';
import { TypingReporter } from './conversations/typingReporter.ts';
import { Files } from './files/files.ts';
import { Drafts } from './outbox/drafts.ts';
import { openDurableMap } from './outbox/durableMap.ts';
import { type Draft, Outbox, type OutboxEntry } from './outbox/outbox.ts';
import { Sender } from './outbox/sender.ts';
import { SearchRequests } from './search/searchRequests.ts';
import { eventHandler } from './sync/applyEvents.ts';
import { HistoryLoader } from './sync/historyLoader.ts';
import { ListLoader } from './sync/listLoader.ts';
import { ReactionReader } from './sync/reactionReader.ts';
import { Recovery } from './sync/recovery.ts';
import { SharedConnection } from './tabs/sharedConnection.ts';
import { Subscriptions } from './tabs/subscriptions.ts';
import { joinTabGroup } from './tabs/tabGroup.ts';
import { TabView } from './tabs/tabView.ts';

/** A longer history is dropped from memory when its conversation is not open. */
const MAX_MESSAGES_IN_MEMORY = 300;

export interface SessionOptions {
  address: Address;
  tokens: Tokens;
  me: UserId;
  directory: Directory | null;
}

export class Session {
  readonly me: UserId;
  /** The gateway's time, whatever this browser's clock says. */
  readonly clock: ServerClock;
  /** For parts that are loaded when they are needed. */
  readonly rest: RestClient;
  readonly connection: SharedConnection;
  readonly store: Store;
  readonly list: ListLoader;
  readonly outbox: Outbox;
  readonly people: People;
  readonly typing: TypingReporter;
  readonly view: TabView;
  readonly drafts: Drafts;
  readonly actions: Actions;
  readonly mentions: MentionFinder;
  readonly search: SearchRequests;
  readonly reacting: Reacting;
  readonly pinning: Pinning;
  readonly files: Files;
  /** What the gateway can do beyond the first version, as of the last connection. */
  readonly features = new Observable<readonly string[]>([]);
  #historyLoader: HistoryLoader;
  #reactionReader: ReactionReader;
  #readReporter: ReadReporter;
  #subscriptions: Subscriptions;
  #timelines = new Map<string, Timeline>();
  #sleepDetector: SleepDetector;
  #parts: { stop(): void }[];

  constructor({ address, tokens, me, directory }: SessionOptions) {
    this.me = me;
    const name = `messenger ${address.rest} ${me}`;
    const rest = new RestClient(address.rest, tokens, (users) => this.people.learn(users));
    this.rest = rest;
    this.store = new Store(me);
    this.list = new ListLoader(rest, this.store);
    this.people = new People(rest, this.store, directory);
    this.actions = new Actions(rest, this.store);
    this.mentions = new MentionFinder(rest, this.store);
    this.search = new SearchRequests(rest);
    this.#historyLoader = new HistoryLoader(rest);
    const makeSocket = () => {
      const catchUp = () => recovery.catchUp();
      const socket = new SocketConnection({ url: `${address.socket}/${me}`, tokens, catchUp });
      new TokenRefresher(socket, tokens).start();
      return socket;
    };
    this.connection = new SharedConnection(joinTabGroup(name), makeSocket, tokens.clock);
    const recovery = new Recovery(this.connection, rest, this.store, this.list, this.#historyLoader);
    this.outbox = new Outbox(
      openDurableMap<OutboxEntry>(name, 'client_message_id'),
      this.connection,
      tokens.clock,
    );
    const sender = new Sender(this.connection, this.outbox);
    const { connection, outbox } = this;
    this.files = new Files({ rest, base: address.rest, name, outbox, connection });
    this.#subscriptions = new Subscriptions(this.connection);
    this.#readReporter = new ReadReporter(this.connection, this.store);
    this.typing = new TypingReporter(this.connection);
    this.view = new TabView(this.connection);
    this.reacting = new Reacting(this.connection);
    this.pinning = new Pinning(this.connection, rest, this.store);
    this.#reactionReader = new ReactionReader(this.store, this.view, this.#historyLoader);
    this.drafts = new Drafts(name);
    // The socket may have died during the sleep without any event.
    this.#sleepDetector = new SleepDetector(() => this.connection.isLeader && this.connection.hint('check'));
    this.#parts = [
      this.view,
      this.typing,
      this.#readReporter,
      this.#subscriptions,
      sender,
      this.outbox,
      recovery,
    ];
    this.#parts.push(this.reacting, this.pinning, this.files, this.#reactionReader);
    this.#parts.push(this.drafts, this.list, this.people, this.#sleepDetector, this.connection);
    this.connection.events.on(eventHandler(this.store));
    this.connection.events.on((event) => this.people.applyEvent(event));
    this.connection.state.watch(onReturn(() => this.people.refresh()));
    this.connection.state.watch((state) => {
      if (state.phase === 'online') this.features.set(state.connected.features ?? []);
    });
    this.clock = tokens.clock;
    this.store.roomsChanged.on((id) => this.#forget(id));
  }

  start(): void {
    this.connection.start();
    this.#sleepDetector.start();
    void this.list.load();
    void this.outbox.load();
  }

  stop(): void {
    for (const part of this.#parts) part.stop();
    for (const timeline of this.#timelines.values()) timeline.stop();
    for (const room of this.store.rooms.values()) room.close();
  }

  room(id: string): Room | undefined {
    return this.store.rooms.get(id);
  }

  timeline(id: string): Timeline | undefined {
    const room = this.room(id);
    if (!room) return undefined;
    let timeline = this.#timelines.get(id);
    if (!timeline) {
      timeline = new Timeline(room, this.outbox, this.me);
      this.#timelines.set(id, timeline);
    }
    return timeline;
  }

  /** Loads what is needed to show a conversation. Parts that are loaded already stay. */
  async open(id: string): Promise<void> {
    const room = this.room(id);
    if (!room) return;
    const members = this.people.loadMembers(room).catch(() => undefined);
    const isNew = room.history.get().status !== 'ready';
    await this.#historyLoader.open(room);
    this.#reactionReader.opened(room);
    if (isNew) await this.people.loadReadPositions(room);
    await members;
    this.#releaseHistories();
  }

  async loadOlder(id: string): Promise<void> {
    const room = this.room(id);
    if (room) await this.#historyLoader.loadOlder(room);
  }

  async loadNewer(id: string): Promise<void> {
    const room = this.room(id);
    if (room) await this.#historyLoader.loadNewer(room);
  }

  /** Makes a message loaded, however old it is. Rejects with MessengerError, also if the user has no such message. */
  async loadAround(id: string, messageId: string): Promise<void> {
    const room = this.room(id);
    if (room) await this.#historyLoader.loadAround(room, messageId);
  }

  /** Leads back to the newest messages after `loadAround`. Rejects with MessengerError. */
  async loadNewest(id: string): Promise<void> {
    const room = this.room(id);
    if (room) await this.#historyLoader.loadNewest(room);
  }

  /** The message is visible at once. `kept` resolves when it outlives the page. */
  send(id: string, draft: Draft): { entry: OutboxEntry; kept: Promise<void> } {
    this.typing.stopped(id);
    const prepared = this.files.prepare(draft);
    const sent = this.outbox.add(id, prepared.draft, prepared.attachments);
    flushListeners();
    return sent;
  }

  markRead(id: string): void {
    const room = this.room(id);
    if (room) this.#readReporter.markRead(room);
  }

  /**
   * Calls `listener` for new messages, in one tab only, while the user is not in any tab, and only if the user's
   * settings for the conversation let the message notify them.
   */
  onMessageToNotify(listener: (incoming: IncomingMessage) => void): () => void {
    return this.store.incoming.on((incoming) => {
      if (this.connection.isLeader && isToNotify(incoming, this.me) && !this.#subscriptions.isFocused)
        listener(incoming);
    });
  }

  /**
   * Frees the messages of conversations that are not open if there are many, to limit memory, or if they end before
   * the newest one. They are loaded again when the user opens the conversation.
   */
  #releaseHistories(): void {
    for (const room of this.store.rooms.values()) {
      const { messages, hasNewer } = room.history.get();
      const isLong = messages.length > MAX_MESSAGES_IN_MEMORY;
      if ((isLong || hasNewer) && !this.view.isOpen(room.id)) room.release();
    }
  }

  #forget(id: string): void {
    this.#timelines.get(id)?.stop();
    this.#timelines.delete(id);
  }
}

/** Muted conversations notify of nothing, whatever `notify` says. */
function isToNotify({ message, conversation: { muted, notify } }: IncomingMessage, me: UserId): boolean {
  if (muted || notify === 'none') return false;
  return notify !== 'mentions' || mentionsUser(message, me);
}

/** Calls `action` when the connection is back. The first time does not count. */
function onReturn(action: () => void): (state: ConnectionState) => void {
  let wasOnline = false;
  let isLost = false;
  return ({ phase }) => {
    if (phase === 'online' && isLost) action();
    wasOnline ||= phase === 'online';
    isLost = wasOnline && phase !== 'online';
  };
}
