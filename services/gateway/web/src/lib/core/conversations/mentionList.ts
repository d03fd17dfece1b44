/** The list of all messages that mention the user, loaded page by page and kept up to date by events. */

import { Observable } from '../base/observable.ts';
import { type Failure, toFailure } from '../contract/failure.ts';
import { mentionsUser } from '../contract/mentions.ts';
import type { Message, UserId } from '../contract/wire.ts';
import type { SharedEvent } from '../tabs/messages.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import type { MentionFinder } from './mentionFinder.ts';

export interface MentionListState {
  /** The newest mention first. */
  messages: readonly Message[];
  status: 'loading' | 'ready' | 'failed';
  failure: Failure | null;
  hasMore: boolean;
  isLoadingMore: boolean;
}

export const EMPTY_MENTIONS: MentionListState = {
  messages: [],
  status: 'loading',
  failure: null,
  hasMore: true,
  isLoadingMore: false,
};

export class MentionList {
  readonly state = new Observable<MentionListState>(EMPTY_MENTIONS);
  #finder: MentionFinder;
  #connection: SharedConnection;
  #me: UserId;
  #cursor: string | null = null;
  #isLoading = false;
  #offs: (() => void)[] = [];

  constructor(finder: MentionFinder, connection: SharedConnection, me: UserId) {
    this.#finder = finder;
    this.#connection = connection;
    this.#me = me;
  }

  start(): void {
    this.#offs = [
      this.#connection.events.on((event) => this.#applyEvent(event)),
      // What happened during an interruption is read again.
      this.#connection.state.watch(({ phase }) => phase === 'online' && void this.#load(null)),
    ];
    void this.#load(null);
  }

  stop(): void {
    for (const off of this.#offs) off();
  }

  /** Loads the next page. After a failure it tries again. */
  loadMore(): void {
    if (this.state.get().hasMore) void this.#load(this.#cursor);
  }

  async #load(cursor: string | null): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#update({ isLoadingMore: cursor !== null, failure: null });
    try {
      const { items, next_cursor } = await this.#finder.page(cursor);
      const held = cursor === null ? [] : this.state.get().messages;
      const known = new Set(held.map((message) => message.id));
      const messages = [...held, ...items.filter((message) => !known.has(message.id))];
      this.#cursor = next_cursor;
      this.#update({ messages, status: 'ready', hasMore: next_cursor !== null, isLoadingMore: false });
    } catch (error) {
      const status = this.state.get().status === 'ready' ? 'ready' : 'failed';
      this.#update({ status, failure: toFailure(error), isLoadingMore: false });
    } finally {
      this.#isLoading = false;
    }
  }

  #applyEvent(event: SharedEvent): void {
    const isChange =
      event.type === 'message.new' || event.type === 'message.edited' || event.type === 'message.deleted';
    // Answers to this user's own commands have the same types.
    if (!isChange || !('data' in event)) return;
    const message: Message = event.data;
    const { messages } = this.state.get();
    const known = messages.find(({ id }) => id === message.id);
    const isMentioned = mentionsUser(message, this.#me);
    if (known && message.pos <= known.pos) return;
    if (!known && isMentioned) this.#update({ messages: [message, ...messages] });
    else if (known && isMentioned)
      this.#update({ messages: messages.map((each) => (each === known ? message : each)) });
    else if (known) this.#update({ messages: messages.filter((each) => each !== known) });
  }

  #update(change: Partial<MentionListState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }
}
