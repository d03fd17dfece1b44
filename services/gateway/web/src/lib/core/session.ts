/** Owns all that serves one user: made when the user is known, gone when another one comes. */

import { Actions } from './actions.ts';
import type { Address } from './address.ts';
import { tellNow } from './cell.ts';
import { Drafts } from './drafts.ts';
import { Eyes } from './eyes.ts';
import { Histories } from './histories.ts';
import { EMPTY } from './history.ts';
import { openKeep } from './keep.ts';
import { Line } from './line.ts';
import { Link } from './link.ts';
import { List } from './list.ts';
import { Looking } from './looking.ts';
import { type Draft, type Entry, Outbox } from './outbox.ts';
import { type Directory, People } from './people.ts';
import { Reading } from './reading.ts';
import { Refresher } from './refresh.ts';
import { Rest } from './rest.ts';
import { Returning } from './returning.ts';
import type { Room } from './room.ts';
import { Sender } from './sender.ts';
import { type Incoming, Store } from './store.ts';
import { joinTabs } from './tabs.ts';
import { Timeline } from './timeline.ts';
import type { Tokens } from './tokens.ts';
import { Typing } from './typing.ts';
import type { UserId } from './wire.ts';

/** Of a conversation that isn't open. */
const MOST_HELD = 300;

export interface SessionOptions {
  address: Address;
  tokens: Tokens;
  me: UserId;
  directory: Directory | null;
}

export class Session {
  readonly me: UserId;
  readonly line: Line;
  readonly store: Store;
  readonly list: List;
  readonly outbox: Outbox;
  readonly people: People;
  readonly typing: Typing;
  readonly eyes: Eyes;
  readonly drafts: Drafts;
  readonly actions: Actions;
  #histories: Histories;
  #reading: Reading;
  #looking: Looking;
  #timelines = new Map<string, Timeline>();
  #parts: { stop(): void }[];

  constructor({ address, tokens, me, directory }: SessionOptions) {
    this.me = me;
    const name = `messenger ${address.rest} ${me}`;
    const rest = new Rest(address.rest, tokens);
    this.store = new Store(me);
    this.list = new List(rest, this.store);
    this.people = new People(rest, this.store, directory);
    this.actions = new Actions(rest, this.store);
    this.#histories = new Histories(rest);
    const makeLink = () => {
      const catchUp = () => returning.catchUp();
      const link = new Link({ url: `${address.socket}/${me}`, tokens, catchUp });
      new Refresher(link, tokens).start();
      return link;
    };
    this.line = new Line(joinTabs(name), makeLink);
    const returning = new Returning(this.line, rest, this.store, this.list, this.#histories);
    this.outbox = new Outbox(openKeep<Entry>(name, 'client_message_id'), this.line);
    const sender = new Sender(this.line, this.outbox);
    this.#looking = new Looking(this.line);
    this.#reading = new Reading(this.line, this.store);
    this.typing = new Typing(this.line);
    this.eyes = new Eyes(this.line);
    this.drafts = new Drafts(name);
    this.#parts = [this.eyes, this.typing, this.#reading, this.#looking, sender, this.outbox, returning];
    this.#parts.push(this.drafts, this.list, this.people, this.line);
    this.line.told.on((told) => this.store.apply(told));
    this.store.roomsChanged.on((id) => this.#forget(id));
  }

  start(): void {
    this.line.start();
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

  /** Loads what is needed to show a conversation; what is loaded already stays. */
  async open(id: string): Promise<void> {
    const room = this.room(id);
    if (!room) return;
    const members = this.people.members(room).catch(() => undefined);
    const isNew = room.history.get().status !== 'ready';
    await this.#histories.open(room);
    if (isNew) await this.people.reads(room);
    await members;
    this.#letGo();
  }

  async older(id: string): Promise<void> {
    const room = this.room(id);
    if (room) await this.#histories.older(room);
  }

  /** Seen at once; `kept` resolves when it outlives the page. */
  send(id: string, draft: Draft): { entry: Entry; kept: Promise<void> } {
    this.typing.stopped(id);
    const sent = this.outbox.add(id, draft);
    tellNow();
    return sent;
  }

  markRead(id: string): void {
    const room = this.room(id);
    if (room) this.#reading.read(room);
  }

  /** In one tab alone, of what came while the user was elsewhere, and not of what is muted. */
  onNotice(listener: (incoming: Incoming) => void): () => void {
    return this.store.incoming.on((incoming) => {
      if (this.line.leads && !incoming.conversation.muted && !this.#looking.isFocused) listener(incoming);
    });
  }

  /** What nobody looks at any more is read again when somebody does; the memory of a page has an end. */
  #letGo(): void {
    for (const room of this.store.rooms.values()) {
      const isLong = room.history.get().messages.length > MOST_HELD;
      if (isLong && !this.eyes.sees(room.id)) room.history.set(EMPTY);
    }
  }

  #forget(id: string): void {
    this.#timelines.get(id)?.stop();
    this.#timelines.delete(id);
  }
}
