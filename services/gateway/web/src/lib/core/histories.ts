/** Owns the reading of history over REST: the newest page, older ones, and all that is held once more. */

import { failureOf } from './failure.ts';
import { EMPTY, firstHole, merged } from './history.ts';
import type { Page, Query, Rest } from './rest.ts';
import type { Room } from './room.ts';
import type { Message } from './wire.ts';

interface MessagePage extends Page<Message> {
  has_more: boolean;
}

const FIRST_PAGE = 50;
const PAGE = 100;
/** More than this is not read once more: it is let go, and read again when somebody scrolls there. */
const MOST_REREAD = 1_000;

export class Histories {
  #rest: Rest;

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  /** The newest page, if none is held. */
  async open(room: Room): Promise<void> {
    const { status } = room.history.get();
    if (status === 'loading' || status === 'ready') return;
    room.history.set({ ...EMPTY, status: 'loading' });
    try {
      const page = await this.#page(room, { limit: FIRST_PAGE });
      // Live messages may have come meanwhile; they stay.
      room.history.update((held) => ({
        ...held,
        messages: merged(page.items.reverse(), held.messages),
        hasOlder: page.has_more,
        status: 'ready',
      }));
      await this.#fill(room);
      for (const message of room.history.get().messages) room.hasRead(message.sender_id, message.seq);
    } catch (error) {
      room.history.update((held) => ({ ...held, status: 'failed', failure: failureOf(error) }));
    }
  }

  async older(room: Room): Promise<void> {
    const { status, hasOlder, isLoadingOlder, messages } = room.history.get();
    const first = messages[0];
    if (status !== 'ready' || !hasOlder || isLoadingOlder || !first) return;
    room.history.update((held) => ({ ...held, isLoadingOlder: true, failure: null }));
    try {
      const page = await this.#page(room, { limit: PAGE, before_seq: first.seq });
      room.history.update((held) => {
        const isSame = held.messages[0]?.id === first.id;
        const older = isSame ? merged(page.items.reverse(), held.messages) : held.messages;
        return {
          ...held,
          messages: older,
          hasOlder: isSame ? page.has_more : held.hasOlder,
          isLoadingOlder: false,
        };
      });
    } catch (error) {
      room.history.update((held) => ({ ...held, isLoadingOlder: false, failure: failureOf(error) }));
    }
  }

  /** Reads again what is held: changes were missed. Shown until then is what was, and nothing flickers. */
  async reread(room: Room): Promise<void> {
    const held = room.history.get();
    if (held.status !== 'ready') return;
    const oldest = held.messages[0]?.seq ?? 0;
    const read: Message[] = [];
    let hasOlder = true;
    try {
      do {
        const page = await this.#page(room, { limit: PAGE, before_seq: read.at(-1)?.seq });
        read.push(...page.items);
        hasOlder = page.has_more;
      } while (hasOlder && (read.at(-1)?.seq ?? 0) > oldest && read.length < MOST_REREAD);
    } catch (error) {
      // As it stands nobody can trust it; whoever looks reads it anew.
      room.history.set({ ...EMPTY, status: 'failed', failure: failureOf(error) });
      return;
    }
    const messages = read.reverse();
    const newest = messages.at(-1)?.seq ?? 0;
    const live = room.history.get().messages.filter((message) => message.seq > newest);
    room.history.update((now) => ({
      ...now,
      messages: merged(messages, live),
      hasOlder,
      isLoadingOlder: false,
    }));
    const last = room.history.get().messages.at(-1);
    if (last) room.amend({ last_message: last });
  }

  /** Between the page and what came live there may be a hole, as there may be after the page. */
  async #fill(room: Room): Promise<void> {
    for (let tries = 0; tries < 10; tries += 1) {
      const hole = firstHole(room.history.get().messages, room.row.get().last_seq);
      if (hole === null) return;
      const page = await this.#page(room, { limit: PAGE, after_seq: hole - 1 });
      const before = room.history.get();
      room.lay(page.items);
      // Who was away for a time has a hole for good.
      if (room.history.get() === before) return;
    }
  }

  #page(room: Room, query: Query): Promise<MessagePage> {
    return this.#rest.get(`/conversations/${room.id}/messages`, query);
  }
}
