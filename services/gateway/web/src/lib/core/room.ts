/** Owns what a tab knows of one conversation: its row, its history, who is in it, who has read how far, who types. */

import { Cell } from './cell.ts';
import { EMPTY, type History, merged } from './history.ts';
import { Timers } from './timers.ts';
import type { ConversationRow, EventFrame, Message, Participant, UserId } from './wire.ts';

export class Room {
  readonly id: string;
  readonly row: Cell<ConversationRow>;
  readonly history = new Cell<History>(EMPTY);
  readonly participants = new Cell<readonly Participant[] | null>(null);
  readonly reads = new Cell<ReadonlyMap<UserId, number>>(new Map());
  readonly typists = new Cell<readonly UserId[]>([]);
  readonly standing: Cell<number>;
  /** Live frames that came while a replay was on its way; null when none is. */
  waiting: EventFrame[] | null = null;
  #timers = new Timers<`typing ${UserId}`>();

  constructor(row: ConversationRow) {
    this.id = row.id;
    this.row = new Cell(row);
    this.standing = new Cell(row.last_pos);
    this.participants.watch((all) => all && this.amend({ participants_count: all.length }));
    if (row.last_message) this.hasRead(row.last_message.sender_id, row.last_message.seq);
  }

  /** The last durable change that is in what is held. */
  get pos(): number {
    return this.standing.get();
  }

  set pos(pos: number) {
    this.standing.set(pos);
  }

  amend(change: Partial<ConversationRow>): void {
    this.row.update((row) => {
      const isSame = Object.entries(change).every(
        ([name, value]) => row[name as keyof ConversationRow] === value,
      );
      return isSame ? row : { ...row, ...change };
    });
  }

  /** Lays messages into the history, if they belong to the stretch that is held or follow on it. */
  lay(messages: readonly Message[]): void {
    this.history.update((history) => {
      if (history.status === 'empty') return history;
      const from = history.messages[0]?.seq ?? 0;
      const within = messages.filter((message) => message.seq >= from || !history.hasOlder);
      const all = merged(history.messages, within);
      return all === history.messages ? history : { ...history, messages: all };
    });
    for (const { sender_id, seq } of messages) this.hasRead(sender_id, seq);
  }

  find(messageId: string): Message | undefined {
    return this.history.get().messages.find((message) => message.id === messageId);
  }

  /** Whoever writes has read what stands above, so sending counts too. */
  hasRead(userId: UserId, seq: number): void {
    if ((this.reads.get().get(userId) ?? 0) >= seq) return;
    this.reads.set(new Map(this.reads.get()).set(userId, seq));
  }

  joined(participant: Participant): void {
    this.participants.update((all) => {
      const others = all?.filter((each) => each.user_id !== participant.user_id);
      return others ? [...others, participant].sort((a, b) => a.user_id - b.user_id) : null;
    });
  }

  left(userId: UserId): void {
    this.participants.update((all) => all?.filter((each) => each.user_id !== userId) ?? null);
    this.stopsTyping(userId);
  }

  types(userId: UserId, forMs: number): void {
    if (!this.typists.get().includes(userId)) this.typists.update((all) => [...all, userId]);
    this.#timers.start(`typing ${userId}`, forMs, () => this.stopsTyping(userId));
  }

  stopsTyping(userId: UserId): void {
    this.#timers.stop(`typing ${userId}`);
    if (this.typists.get().includes(userId))
      this.typists.update((all) => all.filter((each) => each !== userId));
  }

  close(): void {
    this.#timers.stopAll();
    this.typists.set([]);
  }
}
