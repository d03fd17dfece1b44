/** Finds the messages that mention the user. */

import type { Page, RestClient } from '../connection/restClient.ts';
import { mentionsUser } from '../contract/mentions.ts';
import type { HistoryMessage, Message } from '../contract/wire.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';

export type MentionPage = Page<HistoryMessage>;

const PAGE_SIZE = 50;
/** Mentions that are farther back in the list than this are not searched for. */
const MAX_PAGES = 20;

export class MentionFinder {
  #rest: RestClient;
  #store: Store;

  constructor(rest: RestClient, store: Store) {
    this.#rest = rest;
    this.#store = store;
  }

  /** The messages that mention the user, the newest mention first. */
  page(cursor: string | null = null): Promise<MentionPage> {
    return this.#rest.get<MentionPage>('/mentions', { limit: PAGE_SIZE, cursor });
  }

  /** Returns the `seq` of each unread mention in a conversation, in ascending order. */
  async unreadIn(room: Room): Promise<number[]> {
    return this.#unreadInHistory(room) ?? (await this.#unreadInList(room));
  }

  /** Returns null if the loaded messages are not all unread ones. */
  #unreadInHistory(room: Room): number[] | null {
    const { status, messages, hasOlder, hasNewer } = room.history.get();
    const first = messages[0]?.seq ?? Number.POSITIVE_INFINITY;
    const isWhole = status === 'ready' && !hasNewer && (!hasOlder || first <= firstUnreadSeq(room));
    return isWhole ? this.#unreadAmong(room, messages) : null;
  }

  async #unreadInList(room: Room): Promise<number[]> {
    const found: number[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const page = await this.page(cursor);
      const here = page.items.filter((message) => message.conversation_id === room.id);
      found.push(...this.#unreadAmong(room, here));
      cursor = page.next_cursor;
      if (cursor === null || found.length >= room.row.get().unread_mentions) break;
    }
    return found.sort((a, b) => a - b);
  }

  #unreadAmong(room: Room, messages: readonly Message[]): number[] {
    const from = firstUnreadSeq(room);
    return messages
      .filter((message) => message.seq >= from && mentionsUser(message, this.#store.me))
      .map((message) => message.seq);
  }
}

/** The first `seq` that counts as unread. */
export function firstUnreadSeq(room: Room): number {
  const { marked_unread_from, read_seq } = room.row.get();
  return marked_unread_from ?? read_seq + 1;
}
