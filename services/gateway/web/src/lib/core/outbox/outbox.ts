/**
 * Holds the messages that are not stored by the gateway yet, in the same state in all tabs. An entry is saved
 * before it is sent and until its answer arrives. Its id never changes, so the gateway stores it once even if
 * it is sent twice.
 */

import { advancePast, newId } from '../base/ids.ts';
import { Observable } from '../base/observable.ts';
import type { ServerClock } from '../connection/serverClock.ts';
import type { Failure } from '../contract/failure.ts';
import { expectedMentions, type MentionFields, wellFormedText } from '../contract/mentions.ts';
import type { Attachment, Message, MessageType } from '../contract/wire.ts';
import type { SharedConnection } from '../tabs/sharedConnection.ts';
import type { DurableMap } from './durableMap.ts';

/** A message that the user wants to send. */
export interface Draft extends MentionFields {
  content: string;
  message_type?: Exclude<MessageType, 'system'>;
  reply_to?: string | null;
  file_url?: string;
  file_name?: string;
  file_size?: number;
  /** Ids of uploads. The message is sent when they are complete. */
  uploads?: readonly string[];
}

export interface OutboxEntry extends Draft {
  /** The files as they are shown. They have their own ids when there are no `uploads` any more. */
  attachments?: readonly Attachment[];
  conversation_id: string;
  /** Ids sort in the order in which they were made, which is the order of sending. */
  client_message_id: string;
  created_at: string;
  /**
   * Null while the entry is to be sent. Otherwise it is the reason why it will not be sent unless the user
   * retries.
   */
  failure: Failure | null;
}

type OutboxNote = { about: 'outbox'; put: OutboxEntry } | { about: 'outbox'; gone: string };

const isOutboxNote = (note: unknown): note is OutboxNote =>
  (note as { about?: unknown } | null)?.about === 'outbox';

export class Outbox {
  readonly entries = new Observable<readonly OutboxEntry[]>([]);
  /** Whether the entries of earlier pages are loaded. Before that, the order of sending is not known. */
  readonly isLoaded = new Observable(false);
  /** Whether new entries would be lost with the page, because the browser saves nothing. */
  readonly isFailing: Observable<boolean>;
  #map: DurableMap<OutboxEntry>;
  #connection: SharedConnection;
  #clock: ServerClock;
  #offs: (() => void)[];

  constructor(map: DurableMap<OutboxEntry>, connection: SharedConnection, clock: ServerClock) {
    this.#map = map;
    this.#connection = connection;
    this.#clock = clock;
    this.isFailing = map.isFailing;
    this.#offs = [
      connection.notes.on((note) => isOutboxNote(note) && this.#receivedNote(note)),
      connection.events.on((event) => event.type === 'message.new' && this.#stored(event.data)),
    ];
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#map.stop();
  }

  /** Loads the entries of earlier pages. Entries that cannot be read now are added as soon as they can be. */
  async load(): Promise<void> {
    await this.#map.load((kept) => {
      for (const entry of kept) this.#put(entry);
    });
    this.isLoaded.set(true);
  }

  /**
   * Adds an entry, which is visible at once. `kept` resolves when the entry outlives the page, or is settled
   * without being saved.
   */
  add(
    conversationId: string,
    draft: Draft,
    attachments: readonly Attachment[] = [],
  ): { entry: OutboxEntry; kept: Promise<void> } {
    const entry: OutboxEntry = {
      ...wellFormedText(draft),
      ...(attachments.length > 0 ? { attachments } : {}),
      conversation_id: conversationId,
      client_message_id: newId(),
      created_at: new Date(this.#clock.now()).toISOString(),
      failure: null,
    };
    return { entry, kept: this.#change(entry) };
  }

  fail(entry: OutboxEntry, failure: Failure): void {
    // Another tab may have sent it, or the user discarded it.
    if (this.#find(entry.client_message_id)) void this.#change({ ...entry, failure });
  }

  /** The uploads of an entry are complete. Resolves when that is saved. */
  async attach({ client_message_id: id }: OutboxEntry, attachments: readonly Attachment[]): Promise<void> {
    const entry = this.#find(id);
    if (entry) await this.#change({ ...entry, attachments, uploads: [] });
  }

  /** Sends a failed entry again, under the same id. */
  retry(id: string): void {
    const entry = this.#find(id);
    if (entry?.failure) void this.#change({ ...entry, failure: null });
  }

  /** Removes an entry that is stored by the gateway or discarded. */
  remove(id: string): void {
    this.#drop(id);
    this.#connection.postNote({ about: 'outbox', gone: id } satisfies OutboxNote);
    this.#map.remove(id);
  }

  /** The event proves that the message is stored, even if the answer was lost. */
  #stored(message: Message): void {
    const id = message.client_message_id;
    const entry = id === null ? undefined : this.#find(id);
    if (entry?.conversation_id === message.conversation_id) this.remove(entry.client_message_id);
  }

  #find(id: string): OutboxEntry | undefined {
    return this.entries.get().find((entry) => entry.client_message_id === id);
  }

  #change(entry: OutboxEntry): Promise<void> {
    this.#put(entry);
    this.#connection.postNote({ about: 'outbox', put: entry } satisfies OutboxNote);
    return this.#map.put(entry);
  }

  #receivedNote(note: OutboxNote): void {
    if ('put' in note) {
      this.#map.writtenElsewhere(note.put);
      this.#put(note.put);
    } else {
      this.#map.removedElsewhere(note.gone);
      this.#drop(note.gone);
    }
  }

  #put(entry: OutboxEntry): void {
    // Entries that are made here later sort after this one, even if the clock was set back since.
    advancePast(entry.client_message_id);
    this.entries.update((all) => {
      const others = all.filter((each) => each.client_message_id !== entry.client_message_id);
      return [...others, entry].sort((a, b) => (a.client_message_id < b.client_message_id ? -1 : 1));
    });
  }

  #drop(id: string): void {
    if (this.#find(id)) this.entries.update((all) => all.filter((each) => each.client_message_id !== id));
  }
}

/** Whether the entry can be sent: it waits for no upload, and did not fail. */
export const isDue = ({ failure, uploads = [] }: OutboxEntry): boolean =>
  failure === null && uploads.length === 0;

/**
 * Returns the entry in the form of a message. `seq` and `pos` are 0, because the gateway sets them when it
 * stores the message.
 */
export function messageOf(entry: OutboxEntry, sender: number): Message {
  const mentions = expectedMentions(entry);
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
    ...(entry.attachments ? { attachments: [...entry.attachments] } : {}),
    ...(mentions ? { mentions } : {}),
    ...(entry.entities ? { entities: entry.entities } : {}),
    created_at: entry.created_at,
    edited_at: null,
    deleted_at: null,
  };
}
