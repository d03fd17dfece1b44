/** Loads messages over REST: the newest page, older pages, and all loaded pages again. */

import type { Page, Query, RestClient } from '../connection/restClient.ts';
import { toFailure } from '../contract/failure.ts';
import type { Message } from '../contract/wire.ts';
import { EMPTY_HISTORY, firstHole, mergeMessages } from '../conversations/history.ts';
import type { Room } from '../conversations/room.ts';

interface MessagePage extends Page<Message> {
  has_more: boolean;
}

const FIRST_PAGE_SIZE = 50;
const PAGE_SIZE = 100;
/**
 * A longer history is not read again completely. The rest is dropped, and loaded again when the user scrolls
 * there.
 */
const MAX_RELOADED = 1_000;

export class HistoryLoader {
  #rest: RestClient;

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  /** Loads the newest page, unless messages are loaded already. */
  async open(room: Room): Promise<void> {
    const { status } = room.history.get();
    if (status === 'loading' || status === 'ready') return;
    room.history.set({ ...EMPTY_HISTORY, status: 'loading' });
    try {
      const page = await this.#page(room, { limit: FIRST_PAGE_SIZE });
      // Live messages may have arrived in the meantime; they stay.
      room.history.update((held) => ({
        ...held,
        messages: mergeMessages(page.items.reverse(), held.messages),
        hasOlder: page.has_more,
        status: 'ready',
      }));
      await this.#fillHoles(room);
      for (const message of room.history.get().messages) room.markReadBy(message.sender_id, message.seq);
    } catch (error) {
      room.history.update((held) => ({ ...held, status: 'failed', failure: toFailure(error) }));
    }
  }

  async loadOlder(room: Room): Promise<void> {
    const { status, hasOlder, isLoadingOlder, messages } = room.history.get();
    const first = messages[0];
    if (status !== 'ready' || !hasOlder || isLoadingOlder || !first) return;
    room.history.update((held) => ({ ...held, isLoadingOlder: true, failure: null }));
    try {
      const page = await this.#page(room, { limit: PAGE_SIZE, before_seq: first.seq });
      room.history.update((held) => {
        const isSame = held.messages[0]?.id === first.id;
        const older = isSame ? mergeMessages(page.items.reverse(), held.messages) : held.messages;
        return {
          ...held,
          messages: older,
          hasOlder: isSame ? page.has_more : held.hasOlder,
          isLoadingOlder: false,
        };
      });
    } catch (error) {
      room.history.update((held) => ({ ...held, isLoadingOlder: false, failure: toFailure(error) }));
    }
  }

  /**
   * Reads the loaded messages again, because changes were missed. The old messages stay visible until then,
   * so that nothing flickers.
   */
  async reload(room: Room): Promise<void> {
    const held = room.history.get();
    if (held.status !== 'ready') return;
    const oldest = held.messages[0]?.seq ?? 0;
    const read: Message[] = [];
    let hasOlder = true;
    try {
      do {
        const page = await this.#page(room, { limit: PAGE_SIZE, before_seq: read.at(-1)?.seq });
        read.push(...page.items);
        hasOlder = page.has_more;
      } while (hasOlder && (read.at(-1)?.seq ?? 0) > oldest && read.length < MAX_RELOADED);
    } catch (error) {
      // The loaded messages may be wrong, so they are dropped. They are loaded again when the user opens the
      // conversation.
      room.history.set({ ...EMPTY_HISTORY, status: 'failed', failure: toFailure(error) });
      return;
    }
    const messages = read.reverse();
    const newest = messages.at(-1)?.seq ?? 0;
    const live = room.history.get().messages.filter((message) => message.seq > newest);
    room.history.update((now) => ({
      ...now,
      messages: mergeMessages(messages, live),
      hasOlder,
      isLoadingOlder: false,
    }));
    const last = room.history.get().messages.at(-1);
    if (last) room.updateRow({ last_message: last });
  }

  /** Loads missing messages between the page and the live messages, and after the page. */
  async #fillHoles(room: Room): Promise<void> {
    for (let tries = 0; tries < 10; tries += 1) {
      const hole = firstHole(room.history.get().messages, room.row.get().last_seq);
      if (hole === null) return;
      const page = await this.#page(room, { limit: PAGE_SIZE, after_seq: hole - 1 });
      const before = room.history.get();
      room.addMessages(page.items);
      // A user who was not a member for a time has a permanent hole.
      if (room.history.get() === before) return;
    }
  }

  #page(room: Room, query: Query): Promise<MessagePage> {
    return this.#rest.get(`/conversations/${room.id}/messages`, query);
  }
}
