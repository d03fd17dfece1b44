/**
 * Holds the reactions to the loaded messages of a conversation: what the gateway told, and what the user wishes
 * that it does not know yet.
 *
 * Events and pages give absolute states. An event has a `pos`. A page of messages has none; it shows at least what
 * was applied when it was requested. Of two states, the one that is certainly later counts.
 *
 * An event names only the first three users of an emoji. Whether the own user is one of more than three follows
 * from the state before and from `changes`. If it does not follow, the reactions are in doubt, until a page tells.
 */

import { Observable } from '../base/observable.ts';
import type { Failure } from '../contract/failure.ts';
import type { FrameOf, HistoryMessage, UserId } from '../contract/wire.ts';

export interface Reaction {
  emoji: string;
  count: number;
  /** The first three users. */
  user_ids: readonly UserId[];
  mine: boolean;
}

export interface MessageReactions {
  /** In the order of first use. */
  reactions: readonly Reaction[];
  /** Why the user's last reaction to this message was refused. */
  failure: Failure | null;
}

export const NO_REACTIONS: MessageReactions = { reactions: [], failure: null };

type ReactionsFrame = FrameOf<'message.reactions'>;

/** `mine` is null while a page that tells it is being read. */
type KnownReaction = Omit<Reaction, 'mine'> & { mine: boolean | null };

interface State {
  /** The `pos` that this state has at least. */
  pos: number;
  reactions: readonly KnownReaction[];
  isInDoubt: boolean;
}

/** A frame with this many changes may have left some out. */
const MAX_CHANGES = 50;

/** U+FE0F may be left out of an emoji. */
export const emojiKey = (emoji: string): string => emoji.replaceAll('\uFE0F', '');
const isSame = (one: string, other: string) => emojiKey(one) === emojiKey(other);

export class Reactions {
  #me: UserId;
  #states = new Map<string, State>();
  #shown = new Map<string, Observable<MessageReactions>>();
  /** By message id and emoji key. */
  #wishes = new Map<string, Map<string, { emoji: string; on: boolean }>>();
  #failures = new Map<string, Failure>();
  /** The number of pages that are being read. */
  #reads = 0;

  constructor(me: UserId) {
    this.#me = me;
  }

  /** The reactions to a message as the user sees them, with their own wishes. */
  of(messageId: string): Observable<MessageReactions> {
    let shown = this.#shown.get(messageId);
    if (!shown) {
      shown = new Observable(this.#compute(messageId));
      this.#shown.set(messageId, shown);
    }
    return shown;
  }

  /** Whether the gateway has this reaction of the user's, as far as is known. Null if it is in doubt. */
  isMine(messageId: string, emoji: string): boolean | null {
    const state = this.#states.get(messageId);
    if (!state) return false;
    if (state.isInDoubt) return null;
    const reaction = state.reactions.find((each) => isSame(each.emoji, emoji));
    return reaction ? reaction.mine : false;
  }

  get inDoubt(): string[] {
    return [...this.#states].filter(([, state]) => state.isInDoubt).map(([id]) => id);
  }

  /** Call before a page of messages is requested, and `endRead` when it is there or failed. */
  beginRead(): void {
    this.#reads += 1;
  }

  endRead(): void {
    this.#reads -= 1;
  }

  /**
   * Applies an event or its replay. The state of a message that is not loaded is ignored, unless a page is being
   * read that may have it. Returns whether the reactions are in doubt now.
   */
  apply(frame: ReactionsFrame, isLoaded: boolean): boolean {
    const id = frame.message_id;
    const before = this.#states.get(id);
    if (!isLoaded && this.#reads === 0) return false;
    if (before && frame.pos <= before.pos) return before.isInDoubt;
    const isKnown = isLoaded || before !== undefined;
    const reactions = frame.counts.map((row) => ({
      ...row,
      mine: mineAfter(row, frame, before, this.#me, isKnown),
    }));
    const isInDoubt = !hasAllChanges(frame) && reactions.some((row) => !isNamed(row, this.#me));
    this.#set(id, { pos: frame.pos, reactions, isInDoubt: isInDoubt && isKnown });
    return isInDoubt && isKnown;
  }

  /** Takes the reactions from messages that were requested when `pos` was the last applied one. */
  learn(messages: readonly HistoryMessage[], pos: number): void {
    for (const { id, reactions = [] } of messages) {
      const state = this.#states.get(id);
      if (state && state.pos > pos) this.#set(id, withMineOf(state, reactions));
      else if (state || reactions.length > 0) this.#set(id, { pos, reactions, isInDoubt: false });
    }
  }

  /** The message was deleted. */
  end(messageId: string): void {
    this.#wishes.delete(messageId);
    this.#failures.delete(messageId);
    if (this.#states.delete(messageId) || this.#shown.has(messageId)) this.#update(messageId);
  }

  /** The messages are no longer loaded. What is not drawn is forgotten. */
  release(): void {
    this.#states.clear();
    for (const [id, shown] of this.#shown) {
      if (shown.hasListeners) this.#update(id);
      else this.#shown.delete(id);
    }
  }

  /** Shows what the user wishes, until `settle`. */
  wish(messageId: string, emoji: string, on: boolean): void {
    const wishes = this.#wishes.get(messageId) ?? new Map();
    this.#wishes.set(messageId, wishes.set(emojiKey(emoji), { emoji, on }));
    this.setFailure(messageId, null);
  }

  /** Ends a wish. `granted` is what the gateway has now, or null if the wish was refused or taken back. */
  settle(messageId: string, emoji: string, granted: boolean | null): void {
    const wishes = this.#wishes.get(messageId);
    wishes?.delete(emojiKey(emoji));
    if (wishes?.size === 0) this.#wishes.delete(messageId);
    if (granted !== null) this.confirm(messageId, emoji, granted);
    else this.#update(messageId);
  }

  /** The gateway has or has not this reaction of the user's. Its event may come before or after. */
  confirm(messageId: string, emoji: string, on: boolean): void {
    const state = this.#states.get(messageId) ?? { pos: 0, reactions: [], isInDoubt: false };
    this.#set(messageId, { ...state, reactions: withOwn(state.reactions, emoji, on, this.#me) });
  }

  setFailure(messageId: string, failure: Failure | null): void {
    if (failure) this.#failures.set(messageId, failure);
    else this.#failures.delete(messageId);
    this.#update(messageId);
  }

  #set(messageId: string, state: State): void {
    this.#states.set(messageId, state);
    this.#update(messageId);
  }

  #update(messageId: string): void {
    this.#shown.get(messageId)?.set(this.#compute(messageId));
  }

  #compute(messageId: string): MessageReactions {
    let reactions = this.#states.get(messageId)?.reactions ?? [];
    for (const { emoji, on } of this.#wishes.get(messageId)?.values() ?? [])
      reactions = withOwn(reactions, emoji, on, this.#me);
    const failure = this.#failures.get(messageId) ?? null;
    if (reactions.length === 0 && failure === null) return NO_REACTIONS;
    return { reactions: reactions.map((each) => ({ ...each, mine: each.mine ?? false })), failure };
  }
}

const hasAllChanges = ({ changes }: ReactionsFrame) => changes !== undefined && changes.length < MAX_CHANGES;

/** Whether the named users alone tell if the user is one of them. */
const isNamed = ({ count, user_ids }: Omit<Reaction, 'mine'>, me: UserId) =>
  user_ids.includes(me) || count <= user_ids.length;

function mineAfter(
  row: Omit<Reaction, 'mine'>,
  frame: ReactionsFrame,
  before: State | undefined,
  me: UserId,
  isKnown: boolean,
): boolean | null {
  if (isNamed(row, me)) return row.user_ids.includes(me);
  const change = frame.changes?.findLast((each) => each.user_id === me && isSame(each.emoji, row.emoji));
  if (change) return change.on;
  const known = before?.reactions.find((each) => isSame(each.emoji, row.emoji));
  return known ? known.mine : isKnown ? false : null;
}

/** Fills in what only the page tells. If the page is later than the state, an event that is on its way says so. */
function withMineOf(state: State, page: readonly Reaction[]): State {
  const tell = (row: KnownReaction) => page.find((each) => isSame(each.emoji, row.emoji))?.mine ?? false;
  const reactions = state.reactions.map((row) => (row.mine === null ? { ...row, mine: tell(row) } : row));
  return { ...state, reactions };
}

/** The reactions as they are with or without this one of the user's. */
function withOwn(
  reactions: readonly KnownReaction[],
  emoji: string,
  on: boolean,
  me: UserId,
): readonly KnownReaction[] {
  const known = reactions.find((each) => isSame(each.emoji, emoji));
  if ((known?.mine ?? false) === on) return reactions;
  if (!known) return [...reactions, { emoji, count: 1, user_ids: [me], mine: true }];
  const others = known.user_ids.filter((id) => id !== me);
  const changed = on
    ? { ...known, count: known.count + 1, user_ids: [...others, me].slice(0, 3), mine: true }
    : { ...known, count: known.count - 1, user_ids: others, mine: false };
  return reactions.flatMap((each) => (each !== known ? [each] : changed.count > 0 ? [changed] : []));
}
