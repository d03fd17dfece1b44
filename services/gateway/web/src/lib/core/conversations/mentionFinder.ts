/** Finds the messages that mention the user. */

import type { Page, RestClient } from '../connection/restClient.ts';
import { mentionsUser } from '../contract/mentions.ts';
import type { HistoryMessage, Message } from '../contract/wire.ts';
import type { Room } from './room.ts';
import type { Store } from './store.ts';

export type MentionPage = Page<HistoryMessage>;

/** Mentions from the message `from` on, which is a `seq`, of which there should be `count`. */
export interface MentionRange {
  from: number;
  count: number;
}

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

  /**
   * Returns the messages of a conversation that mention the user, the oldest first. It asks the gateway only if some of
   * them are not loaded.
   */
  async find(room: Room, which: MentionRange = unreadRange(room)): Promise<Message[]> {
    return this.#findLoaded(room, which.from) ?? (await this.#findListed(room, which));
  }

  /** Returns null if messages are missing. */
  #findLoaded(room: Room, from: number): Message[] | null {
    const { status, messages, hasOlder, hasNewer } = room.history.get();
    const first = messages[0]?.seq ?? Number.POSITIVE_INFINITY;
    const isWhole = status === 'ready' && !hasNewer && (!hasOlder || first <= from);
    return isWhole ? this.#among(messages, from) : null;
  }

  async #findListed(room: Room, { from, count }: MentionRange): Promise<Message[]> {
    const found: Message[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const page = await this.page(cursor);
      const here = page.items.filter((message) => message.conversation_id === room.id);
      found.push(...this.#among(here, from));
      cursor = page.next_cursor;
      if (cursor === null || found.length >= count) break;
    }
    return found.sort((a, b) => a.seq - b.seq);
  }

  #among(messages: readonly Message[], from: number): Message[] {
    return messages.filter((message) => message.seq >= from && mentionsUser(message, this.#store.me));
  }
}

function unreadRange(room: Room): MentionRange {
  return { from: firstUnreadSeq(room), count: room.row.get().unread_mentions };
}

/** The first `seq` that counts as unread. */
export function firstUnreadSeq(room: Room): number {
  const { marked_unread_from, read_seq } = room.row.get();
  return marked_unread_from ?? read_seq + 1;
}
