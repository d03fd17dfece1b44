/**
 * Loads messages over REST: the newest page, older and newer pages, the messages around one of them, and all loaded
 * pages again.
 */

import type { Page, Query, RestClient } from '../connection/restClient.ts';
import { notFoundError, toFailure } from '../contract/failure.ts';
import type { HistoryMessage } from '../contract/wire.ts';
import { adjoins, EMPTY_HISTORY, firstHole, lastSeqOf, mergeMessages } from '../conversations/history.ts';
import type { Room } from '../conversations/room.ts';

interface MessagePage extends Page<HistoryMessage> {
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
  /** By conversation id: the last of the loads that exchange the loaded part. They run one after the other. */
  #exchanges = new Map<string, Promise<void>>();

  constructor(rest: RestClient) {
    this.#rest = rest;
  }

  /** Loads the newest page, unless messages are loaded already. */
  open(room: Room): Promise<void> {
    return this.#exchange(room, async () => {
      if (room.history.get().status !== 'ready') await this.#open(room).catch(() => undefined);
    });
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

  /** Loads the page after the loaded part, if that ends before the newest message. */
  async loadNewer(room: Room): Promise<void> {
    const { status, hasNewer, isLoadingNewer, messages } = room.history.get();
    const last = messages.at(-1);
    if (status !== 'ready' || !hasNewer || isLoadingNewer || !last) return;
    room.history.update((held) => ({ ...held, isLoadingNewer: true, failure: null }));
    try {
      const page = await this.#page(room, { limit: PAGE_SIZE, after_seq: last.seq });
      room.history.update((held) => {
        if (held.messages.at(-1)?.id !== last.id) return { ...held, isLoadingNewer: false };
        const messages = mergeMessages(held.messages, page.items);
        return { ...held, messages, hasNewer: page.has_more, isLoadingNewer: false };
      });
      // Live messages that arrived in the meantime were not added.
      if (!room.history.get().hasNewer) await this.#fillHoles(room);
    } catch (error) {
      room.history.update((held) => ({ ...held, isLoadingNewer: false, failure: toFailure(error) }));
    }
  }

  /**
   * Makes this message loaded, with those around it. It takes one request: a part that is far away replaces the loaded
   * part, and `loadNewest` leads back. Rejects with MessengerError, also if there is no such message for the user; then
   * what was loaded stays, or the newest page is loaded.
   */
  loadAround(room: Room, messageId: string): Promise<void> {
    return this.#exchange(room, async () => {
      const wasOpen = room.history.get().status === 'ready';
      try {
        await this.#makeLoaded(room, messageId, wasOpen);
      } catch (error) {
        if (!wasOpen) await this.#open(room).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Leads back to the newest messages after `loadAround`. Rejects with MessengerError. */
  loadNewest(room: Room): Promise<void> {
    return this.#exchange(room, async () => {
      if (room.history.get().hasNewer) await this.#show(room, { limit: FIRST_PAGE_SIZE });
    });
  }

  /**
   * Reads the loaded messages again, because changes were missed. The old messages stay visible until then,
   * so that nothing flickers.
   */
  reload(room: Room): Promise<void> {
    return this.#exchange(room, async () => {
      if (room.history.get().status === 'ready') await this.#reload(room);
    });
  }

  /**
   * Reads the reactions to some of the loaded messages again. They come with their messages, and one page has those
   * of up to a hundred messages.
   */
  async readReactions(room: Room, messageIds: readonly string[]): Promise<void> {
    const seqs = messageIds.flatMap((id) => room.find(id)?.seq ?? []);
    for (let left = seqs.sort((a, b) => a - b); left[0] !== undefined; ) {
      const [from, to] = [left[0], left[0] + PAGE_SIZE];
      const within = left.filter((seq) => seq < to);
      const limit = (within.at(-1) ?? from) - from + 1;
      await this.#page(room, { limit, after_seq: from - 1 });
      left = left.filter((seq) => seq >= to);
    }
  }

  async #makeLoaded(room: Room, messageId: string, isOpen: boolean): Promise<void> {
    if (isOpen && room.find(messageId)) return;
    const query = { limit: PAGE_SIZE, around: messageId };
    await (isOpen ? this.#show(room, query) : this.#open(room, query));
    if (!room.find(messageId)) throw notFoundError('There is no such message');
  }

  /** Loads the first messages: the newest page, or the part that `query` asks for. Rejects with MessengerError. */
  async #open(room: Room, query?: Query): Promise<void> {
    room.history.set({ ...EMPTY_HISTORY, status: 'loading' });
    try {
      const page = await this.#page(room, query ?? { limit: FIRST_PAGE_SIZE });
      const items = page.items.reverse();
      room.history.update((held) => {
        const isNewest = !query || (items.at(-1)?.seq ?? 0) >= room.row.get().last_seq;
        // Live messages may have arrived in the meantime; they stay.
        const messages = isNewest ? mergeMessages(items, held.messages) : items;
        return { ...held, messages, hasOlder: page.has_more, hasNewer: !isNewest, status: 'ready' };
      });
      await this.#fillHoles(room);
      for (const message of room.history.get().messages) room.markReadBy(message.sender_id, message.seq);
    } catch (error) {
      room.history.update((held) => ({ ...held, status: 'failed', failure: toFailure(error) }));
      throw error;
    }
  }

  async #reload(room: Room): Promise<void> {
    const held = room.history.get();
    const oldest = held.messages[0]?.seq ?? 0;
    const end = held.hasNewer ? lastSeqOf(held) : null;
    const read: HistoryMessage[] = [];
    let hasOlder = true;
    try {
      do {
        const before_seq = read.at(-1)?.seq ?? (end === null ? undefined : end + 1);
        const page = await this.#page(room, { limit: PAGE_SIZE, before_seq });
        read.push(...page.items);
        hasOlder = page.has_more;
      } while (hasOlder && (read.at(-1)?.seq ?? 0) > oldest && read.length < MAX_RELOADED);
    } catch (error) {
      // The loaded messages may be wrong, so they are dropped. They are loaded again when the user opens the
      // conversation.
      room.release();
      room.history.set({ ...EMPTY_HISTORY, status: 'failed', failure: toFailure(error) });
      return;
    }
    const messages = read.reverse();
    const newest = messages.at(-1)?.seq ?? 0;
    room.history.update((now) => ({
      ...now,
      messages: mergeMessages(
        messages,
        now.messages.filter((message) => message.seq > newest),
      ),
      hasOlder,
      isLoadingOlder: false,
    }));
    const last = room.history.get().messages.at(-1);
    if (last && end === null) room.updateRow({ last_message: last });
  }

  /** Joins a page, read backwards, with the loaded part, or shows it instead if they are apart. */
  async #show(room: Room, query: Query): Promise<void> {
    const page = await this.#page(room, query);
    const items = page.items.reverse();
    if (items.length === 0) return;
    room.history.update((held) => {
      const isJoined = adjoins(held.messages, items);
      const messages = isJoined ? mergeMessages(held.messages, items) : items;
      const isOldest = messages[0]?.seq === items[0]?.seq;
      const reachesEnd = (messages.at(-1)?.seq ?? 0) >= room.row.get().last_seq;
      return {
        ...held,
        messages,
        hasOlder: isOldest ? page.has_more : held.hasOlder,
        hasNewer: !reachesEnd && !(isJoined && !held.hasNewer),
        isLoadingOlder: false,
        isLoadingNewer: false,
        failure: null,
      };
    });
    await this.#fillHoles(room);
  }

  /** Loads missing messages between the page and the live messages, and after the page. */
  async #fillHoles(room: Room): Promise<void> {
    for (let tries = 0; tries < 10; tries += 1) {
      const hole = firstHole(room.history.get(), room.row.get().last_seq);
      if (hole === null) return;
      const page = await this.#page(room, { limit: PAGE_SIZE, after_seq: hole - 1 });
      const before = room.history.get();
      room.addMessages(page.items);
      // A user who was not a member for a time has a permanent hole.
      if (room.history.get() === before) return;
    }
  }

  #exchange(room: Room, work: () => Promise<void>): Promise<void> {
    const before = this.#exchanges.get(room.id) ?? Promise.resolve();
    const done = before.then(work);
    const settled = done.catch(() => undefined);
    this.#exchanges.set(room.id, settled);
    void settled.then(() => {
      if (this.#exchanges.get(room.id) === settled) this.#exchanges.delete(room.id);
    });
    return done;
  }

  async #page(room: Room, query: Query): Promise<MessagePage> {
    const { pos } = room;
    room.reactions.beginRead();
    try {
      const page = await this.#rest.get<MessagePage>(`/conversations/${room.id}/messages`, query);
      room.reactions.learn(page.items, pos);
      return { ...page, items: page.items.map((message) => room.attachments.latest(message, pos)) };
    } finally {
      room.reactions.endRead();
    }
  }
}
