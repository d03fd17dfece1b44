/**
 * Holds the pinned messages of a conversation, as the gateway told and with what the user has just done. An event
 * names the newest fifty; the messages themselves come from the list of pins, or are loaded already.
 */

import { Observable } from '../base/observable.ts';
import type { Page } from '../connection/restClient.ts';
import type { Failure } from '../contract/failure.ts';
import type { FrameOf, Message, Pin, UserId } from '../contract/wire.ts';

export interface PinsState {
  status: 'empty' | 'loading' | 'ready' | 'failed';
  /** The newest fifty that the user may see, the newest pin first. */
  pins: readonly Pin[];
  /** Leads to the pins before them. Null if there are none. */
  nextCursor: string | null;
  failure: Failure | null;
}

export const NO_PINS: PinsState = { status: 'empty', pins: [], nextCursor: null, failure: null };
const MAX_NAMED = 50;

type PinsFrame = FrameOf<'conversation.pins'>;

export class Pins {
  readonly state = new Observable<PinsState>(NO_PINS);
  #me: UserId;
  /** What the gateway told, without the user's wishes. */
  #pins: readonly Pin[] = [];
  /** The `pos` that they have at least. */
  #pos = 0;
  /** By message id: the pin that the user wishes, or null for none. */
  #wishes = new Map<string, Pin | null>();

  constructor(me: UserId) {
    this.#me = me;
  }

  /**
   * Applies an event or its replay. Nothing is done while no list was asked for. Returns whether the list is complete:
   * otherwise it has to be read again.
   */
  apply({ pos, message_ids, user_id }: PinsFrame, find: (id: string) => Message | undefined): boolean {
    const { status } = this.state.get();
    if (status === 'empty' || pos <= this.#pos) return true;
    this.#pos = pos;
    const known = new Map(this.#pins.map((pin) => [pin.message.id, pin]));
    const pins = message_ids.flatMap((id) => {
      const message = known.has(id) ? undefined : find(id);
      return known.get(id) ?? (message ? [newPin(message, user_id)] : []);
    });
    this.#set(pins, { nextCursor: null });
    return pins.length === message_ids.length && message_ids.length < MAX_NAMED;
  }

  /**
   * Takes the first page of the list, which was requested when `pos` was the last applied one. Returns false if an
   * event has arrived since, which may be later than the page.
   */
  learn({ items, next_cursor: nextCursor }: Page<Pin>, pos: number): boolean {
    if (this.#pos > pos) return false;
    this.#pos = pos;
    this.#set(items, { status: 'ready', nextCursor, failure: null });
    return true;
  }

  setStatus(status: PinsState['status'], failure: Failure | null = null): void {
    this.state.update((state) => ({ ...state, status, failure }));
  }

  /** Messages have changed. A deleted one is no longer pinned. */
  update(messages: readonly Message[]): void {
    const changed = new Map(messages.map((message) => [message.id, message]));
    const isMeant = ({ message }: Pin) => (changed.get(message.id)?.pos ?? 0) > message.pos;
    if (!this.#pins.some(isMeant)) return;
    const latest = (pin: Pin) =>
      (isMeant(pin) ? { ...pin, message: changed.get(pin.message.id) } : pin) as Pin;
    this.#set(this.#pins.map(latest).filter((pin) => !pin.message.deleted_at));
  }

  /** Shows what the user wishes, until `settle`. */
  wish(message: Message, on: boolean): void {
    this.#wishes.set(message.id, on ? newPin(message, this.#me) : null);
    this.#set(this.#pins);
  }

  /** Ends a wish. If it was granted, it is now what the gateway has; its event may come before or after. */
  settle(messageId: string, isGranted: boolean): void {
    const pins = isGranted ? this.#withWishes(messageId) : this.#pins;
    this.#wishes.delete(messageId);
    this.#set(pins);
  }

  release(): void {
    this.#pins = [];
    this.#pos = 0;
    this.state.set(NO_PINS);
  }

  #set(pins: readonly Pin[], change: Partial<PinsState> = {}): void {
    this.#pins = pins;
    this.state.update((state) => ({ ...state, ...change, pins: this.#withWishes() }));
  }

  /** With all wishes, or only with that about one message. */
  #withWishes(only?: string): readonly Pin[] {
    const wishes = [...this.#wishes].filter(([id]) => only === undefined || id === only);
    const isPinned = (id: string) => this.#pins.some((pin) => pin.message.id === id);
    const added = wishes.flatMap(([id, pin]) => (pin && !isPinned(id) ? [pin] : []));
    const removed = new Set(wishes.flatMap(([id, pin]) => (pin ? [] : [id])));
    return [...added.reverse(), ...this.#pins.filter((pin) => !removed.has(pin.message.id))];
  }
}

const newPin = (message: Message, user_id: UserId): Pin => ({
  message,
  user_id,
  pinned_at: new Date().toISOString(),
});
