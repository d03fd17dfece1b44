/**
 * Holds what this tab knows of one conversation: its row, its messages with their reactions, its pins, its members,
 * their read positions, and who is typing.
 */

import { Observable } from '../base/observable.ts';
import { Timers } from '../base/timers.ts';
import type {
  ConversationRow,
  EventFrame,
  FilesFrame,
  Message,
  Participant,
  UserId,
} from '../contract/wire.ts';
import { Attachments } from './attachments.ts';
import { EMPTY_HISTORY, type History, mergeMessages, within } from './history.ts';
import { Pins } from './pins.ts';
import { Reactions } from './reactions.ts';

/** The fields of a conversation that the user has read completely. */
export const NOTHING_UNREAD = { unread: 0, unread_mentions: 0, marked_unread_from: null } as const;

/** The user's own fields in a new conversation. */
export const NEW_ROW_DEFAULTS = {
  last_message: null,
  read_seq: 0,
  ...NOTHING_UNREAD,
  participant_ids: null,
  muted: false,
  notify: 'all',
} as const;

export class Room {
  readonly id: string;
  readonly row: Observable<ConversationRow>;
  readonly history = new Observable<History>(EMPTY_HISTORY);
  readonly participants = new Observable<readonly Participant[] | null>(null);
  readonly readPositions = new Observable<ReadonlyMap<UserId, number>>(new Map());
  readonly typists = new Observable<readonly UserId[]>([]);
  readonly position: Observable<number>;
  readonly reactions: Reactions;
  readonly pins: Pins;
  readonly attachments = new Attachments();
  /** Live frames that arrived during a replay. Null when no replay is under way. */
  heldFrames: EventFrame[] | null = null;
  #timers = new Timers<`typing ${UserId}`>();

  constructor(row: ConversationRow, me: UserId) {
    this.id = row.id;
    this.reactions = new Reactions(me);
    this.pins = new Pins(me);
    this.row = new Observable(row);
    this.position = new Observable(row.last_pos);
    this.participants.watch((all) => all && this.updateRow({ participants_count: all.length }));
    if (row.last_message) this.markReadBy(row.last_message.sender_id, row.last_message.seq);
  }

  /** The `pos` of the last durable event that has been applied. */
  get pos(): number {
    return this.position.get();
  }

  set pos(pos: number) {
    this.position.set(pos);
  }

  updateRow(change: Partial<ConversationRow>): void {
    this.row.update((row) => {
      const isSame = Object.entries(change).every(
        ([name, value]) => row[name as keyof ConversationRow] === value,
      );
      return isSame ? row : { ...row, ...change };
    });
  }

  /** Adds messages to the history if they lie in the loaded part or follow it. */
  addMessages(messages: readonly Message[]): void {
    this.history.update((history) => {
      if (history.status === 'empty') return history;
      const all = mergeMessages(history.messages, within(history, messages));
      return all === history.messages ? history : { ...history, messages: all };
    });
    for (const message of messages) {
      this.markReadBy(message.sender_id, message.seq);
      if (message.deleted_at) this.reactions.end(message.id);
    }
    this.pins.update(messages);
  }

  /** Applies new states of a message's files. */
  applyFiles(frame: FilesFrame): void {
    if (!this.attachments.apply(frame)) return;
    const change = <T extends Message>(message: T): T =>
      message.id === frame.message_id && !message.deleted_at
        ? { ...message, attachments: frame.attachments }
        : message;
    if (this.find(frame.message_id))
      this.history.update((history) => ({ ...history, messages: history.messages.map(change) }));
    const last = this.row.get().last_message;
    if (last) this.updateRow({ last_message: change(last) });
  }

  /** Frees the messages, to limit memory. They are loaded again when the user opens the conversation. */
  release(): void {
    this.history.set(EMPTY_HISTORY);
    this.reactions.release();
    this.pins.release();
  }

  find(messageId: string): Message | undefined {
    return this.history.get().messages.find((message) => message.id === messageId);
  }

  /**
   * Moves a member's read position forward. A member who writes has read what came before, so sending counts
   * too.
   */
  markReadBy(userId: UserId, seq: number): void {
    if ((this.readPositions.get().get(userId) ?? 0) >= seq) return;
    this.readPositions.set(new Map(this.readPositions.get()).set(userId, seq));
  }

  /** Adds new members, or changes the role of a known one. */
  addParticipants(participants: readonly Pick<Participant, 'user_id' | 'role'>[]): void {
    const now = new Date().toISOString();
    this.participants.update((all) => {
      if (!all) return null;
      const known = new Map(all.map((each) => [each.user_id, each]));
      for (const { user_id, role } of participants)
        known.set(user_id, { user_id, role, joined_at: known.get(user_id)?.joined_at ?? now });
      return [...known.values()].sort((a, b) => a.user_id - b.user_id);
    });
  }

  removeParticipant(userId: UserId): void {
    this.participants.update((all) => all?.filter((each) => each.user_id !== userId) ?? null);
    this.stopTyping(userId);
  }

  startTyping(userId: UserId, forMs: number): void {
    if (!this.typists.get().includes(userId)) this.typists.update((all) => [...all, userId]);
    this.#timers.start(`typing ${userId}`, forMs, () => this.stopTyping(userId));
  }

  stopTyping(userId: UserId): void {
    this.#timers.stop(`typing ${userId}`);
    if (this.typists.get().includes(userId))
      this.typists.update((all) => all.filter((each) => each !== userId));
  }

  close(): void {
    this.#timers.stopAll();
    this.typists.set([]);
  }
}
