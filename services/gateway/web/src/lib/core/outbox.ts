/**
 * Owns what was said and isn't stored yet, as all tabs see it. An entry is kept before it is sent and until its
 * answer came, under an id that stays its own for good; whoever sends it twice sends it once.
 */

import { Cell } from './cell.ts';
import type { Failure } from './failure.ts';
import { after, newId } from './ids.ts';
import type { Keep } from './keep.ts';
import type { Line } from './line.ts';
import type { Message, MessageType } from './wire.ts';

/** What somebody wants to say. */
export interface Draft {
  content: string;
  message_type?: Exclude<MessageType, 'system'>;
  reply_to?: string | null;
  file_url?: string;
  file_name?: string;
  file_size?: number;
}

export interface Entry extends Draft {
  conversation_id: string;
  /** Ids sort in the order in which they were made: the order of sending. */
  client_message_id: string;
  created_at: string;
  /** Null while it is to be sent; else why it won't be, unless somebody says so. */
  failure: Failure | null;
}

type Note = { about: 'outbox'; put: Entry } | { about: 'outbox'; gone: string };

const isNote = (note: unknown): note is Note => (note as { about?: unknown } | null)?.about === 'outbox';

export class Outbox {
  readonly entries = new Cell<readonly Entry[]>([]);
  /** Whether what earlier pages left is among them; before, nobody knows what comes first. */
  readonly isLoaded = new Cell(false);
  #keep: Keep<Entry>;
  #line: Line;
  #off: () => void;

  constructor(keep: Keep<Entry>, line: Line) {
    this.#keep = keep;
    this.#line = line;
    this.#off = line.noted.on((note) => isNote(note) && this.#noted(note));
  }

  stop(): void {
    this.#off();
  }

  /** Brings what earlier pages left. */
  async load(): Promise<void> {
    const kept = await this.#keep.all();
    const newest = kept.at(-1);
    if (newest) after(newest.client_message_id);
    for (const entry of kept) this.#put(entry);
    this.isLoaded.set(true);
  }

  /** The entry is seen at once; `kept` resolves when it outlives the page. */
  add(conversationId: string, draft: Draft): { entry: Entry; kept: Promise<void> } {
    const entry: Entry = {
      ...draft,
      conversation_id: conversationId,
      client_message_id: newId(),
      created_at: new Date().toISOString(),
      failure: null,
    };
    return { entry, kept: this.#change(entry) };
  }

  fail(entry: Entry, failure: Failure): void {
    void this.#change({ ...entry, failure });
  }

  /** Sends what failed once more, as what it is. */
  retry(id: string): void {
    const entry = this.#find(id);
    if (entry?.failure) void this.#change({ ...entry, failure: null });
  }

  /** Stored, or not wanted any more. */
  remove(id: string): void {
    this.#drop(id);
    this.#line.note({ about: 'outbox', gone: id } satisfies Note);
    void this.#keep.remove(id);
  }

  #find(id: string): Entry | undefined {
    return this.entries.get().find((entry) => entry.client_message_id === id);
  }

  #change(entry: Entry): Promise<void> {
    this.#put(entry);
    this.#line.note({ about: 'outbox', put: entry } satisfies Note);
    return this.#keep.put(entry);
  }

  #noted(note: Note): void {
    if ('put' in note) this.#put(note.put);
    else this.#drop(note.gone);
  }

  #put(entry: Entry): void {
    this.entries.update((all) => {
      const others = all.filter((each) => each.client_message_id !== entry.client_message_id);
      return [...others, entry].sort((a, b) => (a.client_message_id < b.client_message_id ? -1 : 1));
    });
  }

  #drop(id: string): void {
    if (this.#find(id)) this.entries.update((all) => all.filter((each) => each.client_message_id !== id));
  }
}

/** An entry as the message that it will be; `seq` and `pos` are given when it is stored. */
export function asMessage(entry: Entry, sender: number): Message {
  return {
    id: entry.client_message_id,
    conversation_id: entry.conversation_id,
    seq: 0,
    pos: 0,
    version: 1,
    sender_id: sender,
    content: entry.content,
    message_type: entry.message_type ?? 'text',
    client_message_id: entry.client_message_id,
    reply_to: entry.reply_to ?? null,
    file_url: entry.file_url ?? null,
    file_name: entry.file_name ?? null,
    file_size: entry.file_size ?? null,
    created_at: entry.created_at,
    edited_at: null,
    deleted_at: null,
  };
}
