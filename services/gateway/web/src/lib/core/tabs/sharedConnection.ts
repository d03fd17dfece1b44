/**
 * The connection to the gateway that all tabs of a browser share. The leader holds the socket, and the other
 * tabs send commands through it. All tabs receive the same events. Users of this class need not know whether
 * their tab is the leader.
 */

import { EventEmitter, Observable } from '../base/observable.ts';
import type { ServerClock } from '../connection/serverClock.ts';
import type { ConnectionState, SocketConnection } from '../connection/socketConnection.ts';
import { MessengerError, offlineError, toFailure, unansweredError } from '../contract/failure.ts';
import type { AnswerFrame, Command, Frame } from '../contract/wire.ts';
import { EMPTY_VIEW, type Hint, type SharedEvent, type TabMessage, type ViewState } from './messages.ts';
import type { Envelope, TabGroup } from './tabGroup.ts';

interface PendingCommand {
  resolve: (frame: AnswerFrame) => void;
  reject: (error: MessengerError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** A follower waits this much longer than the leader's own limit. It runs out only if the leader is gone. */
const RELAY_MARGIN_MS = 2_000;

export class SharedConnection {
  readonly state = new Observable<ConnectionState>({ phase: 'connecting' });
  readonly events = new EventEmitter<SharedEvent>();
  /** Emitted in the leader: what a tab shows, or null when the tab has ended. */
  readonly viewChanged = new EventEmitter<{ tab: string; view: ViewState | null }>();
  /** Other messages between tabs, such as changes of the outbox. */
  readonly notes = new EventEmitter<unknown>();
  readonly tabs: TabGroup<unknown>;
  #makeSocket: () => SocketConnection;
  #clock: ServerClock;
  #socket: SocketConnection | null = null;
  #socketOffs: (() => void)[] = [];
  /** The tab that a follower accepts messages from. A replaced leader may still send some before it knows. */
  #leader: string | null = null;
  /** Events that a leader holds back, because it was stopped for a while and may have been replaced. */
  #unconfirmed: SharedEvent[] | null = null;
  #view = EMPTY_VIEW;
  #pending = new Map<number, PendingCommand>();
  #lastNumber = 0;
  #offs: (() => void)[] = [];

  constructor(tabs: TabGroup<unknown>, makeSocket: () => SocketConnection, clock: ServerClock) {
    this.tabs = tabs;
    this.#makeSocket = makeSocket;
    this.#clock = clock;
  }

  /** Call when all listeners are registered. */
  start(): void {
    this.#offs = [
      this.tabs.received.on((envelope) => this.#received(envelope as Envelope<TabMessage>)),
      this.tabs.isLeader.watch((leads) => (leads ? this.#startLeading() : this.#stopLeading())),
    ];
    if (this.tabs.isLeader.get()) this.#startLeading();
    else this.#post({ kind: 'hello', leads: false });
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#endSocket();
    this.#failAll();
    this.tabs.stop();
  }

  get isLeader(): boolean {
    return this.#socket !== null;
  }

  ask(command: Command, limitMs = ANSWER_TIMEOUT_MS): Promise<AnswerFrame> {
    if (this.#socket) return this.#execute(this.#socket, command, limitMs);
    if (this.state.get().phase !== 'online') return Promise.reject(offlineError());
    this.#lastNumber += 1;
    const n = this.#lastNumber;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(n), limitMs + RELAY_MARGIN_MS);
      this.#pending.set(n, { resolve, reject, timer });
      this.#post({ kind: 'ask', n, command, limitMs });
    });
  }

  /** The leader sends the event to all tabs and to itself. A follower emits it only in its own tab. */
  publish(event: SharedEvent): void {
    if (!this.#socket) this.events.emit(event);
    else if (this.#unconfirmed) this.#unconfirmed.push(event);
    else if (this.tabs.isConfirmed) this.#publishToAll(event);
    else void this.#publishIfConfirmed(event);
  }

  /** Sends a note from any tab to all others. */
  postNote(note: unknown): void {
    this.#post({ kind: 'note', note });
  }

  setView(view: ViewState): void {
    this.#view = view;
    if (this.#socket) this.viewChanged.emit({ tab: this.tabs.id, view });
    else this.#post({ kind: 'look', look: view });
  }

  hint(hint: Hint): void {
    if (this.#socket) this.#applyHint(this.#socket, hint);
    else this.#post({ kind: 'hint', hint });
  }

  #startLeading(): void {
    const socket = this.#makeSocket();
    this.#socket = socket;
    this.#leader = null;
    this.#failAll();
    this.#socketOffs = [
      socket.frames.on((frame) => this.publish(frame)),
      socket.state.watch((state) => {
        this.#postState(state);
        this.state.set(state);
      }),
    ];
    this.#post({ kind: 'hello', leads: true });
    this.viewChanged.emit({ tab: this.tabs.id, view: this.#view });
    socket.start();
  }

  /** Another tab is the leader now, because this one was stopped for so long that it counted as dead. */
  #stopLeading(): void {
    this.#endSocket();
    this.state.set({ phase: 'connecting' });
    this.#post({ kind: 'look', look: this.#view });
    this.#post({ kind: 'hello', leads: false });
  }

  #endSocket(): void {
    for (const off of this.#socketOffs) off();
    this.#socketOffs = [];
    this.#socket?.stop();
    this.#socket = null;
    this.#unconfirmed = null;
  }

  #publishToAll(event: SharedEvent): void {
    this.#post({ kind: 'told', told: event });
    this.events.emit(event);
  }

  /**
   * Holds events back until it is clear who leads. If another leader has published them, they must not be
   * published again.
   */
  async #publishIfConfirmed(event: SharedEvent): Promise<void> {
    const socket = this.#socket;
    this.#unconfirmed = [event];
    const leads = await this.tabs.confirm();
    if (socket !== this.#socket) return;
    const held = this.#unconfirmed;
    this.#unconfirmed = null;
    if (leads) for (const each of held) this.#publishToAll(each);
  }

  #postState(state: ConnectionState, to?: string): void {
    this.#post({ kind: 'led', state, serverNow: this.#clock.isKnown ? this.#clock.now() : null }, to);
  }

  #applyHint(socket: SocketConnection, hint: Hint): void {
    if (hint === 'check') void socket.check();
    else socket[hint]();
  }

  /** All tabs learn of a `resume` before its replay arrives, whichever tab requested it. */
  async #execute(socket: SocketConnection, command: Command, limitMs: number): Promise<AnswerFrame> {
    if (command.type !== 'resume') return socket.ask(command, limitMs);
    const ids = Object.keys(command.positions);
    this.publish({ type: 'local.resuming', ids });
    try {
      const answer = await socket.ask(command, limitMs);
      // The answer leaves out conversations that the user is no longer a member of.
      const outcomes = answer.type === 'resumed' ? answer.conversations : {};
      this.publish({ type: 'local.not_resumed', ids: ids.filter((id) => !Object.hasOwn(outcomes, id)) });
      return answer;
    } catch (error) {
      this.publish({ type: 'local.not_resumed', ids });
      throw error;
    }
  }

  #received({ from, body }: Envelope<TabMessage>): void {
    if (body.kind === 'told') this.#receivedEvent(from, body.told);
    else if (body.kind === 'led') this.#receivedState(from, body);
    else if (body.kind === 'hello') this.#receivedHello(from, body.leads);
    else if (body.kind === 'answer') this.#settle(body.n)?.resolve(body.frame);
    else if (body.kind === 'refusal') this.#settle(body.n)?.reject(new MessengerError(body.failure));
    else if (body.kind === 'note') this.notes.emit(body.note);
    else if (this.#socket) this.#serve(this.#socket, from, body);
  }

  #receivedHello(from: string, leads: boolean): void {
    if (leads && this.#socket) void this.tabs.confirm();
    else if (leads) this.#acceptLeader(from);
    else if (this.#socket) this.#postState(this.#socket.state.get(), from);
    else if (from === this.#leader) this.#leader = null;
  }

  #acceptLeader(leader: string): void {
    this.#leader = leader;
    this.#failAll();
    this.#post({ kind: 'look', look: this.#view }, leader);
  }

  #receivedEvent(from: string, event: SharedEvent): void {
    if (this.#socket || from !== this.#leader) return;
    this.#clock.learnFrom(event as Frame);
    this.events.emit(event);
  }

  #receivedState(from: string, { state, serverNow }: Extract<TabMessage, { kind: 'led' }>): void {
    if (this.#socket || (this.#leader !== null && from !== this.#leader)) return;
    this.#leader = from;
    if (serverNow !== null) this.#clock.learn(serverNow);
    this.state.set(state);
  }

  #serve(
    socket: SocketConnection,
    from: string,
    body: Extract<TabMessage, { kind: 'ask' | 'look' | 'hint' }>,
  ): void {
    if (body.kind === 'ask') void this.#answer(socket, from, body);
    else if (body.kind === 'hint') this.#applyHint(socket, body.hint);
    else {
      this.viewChanged.emit({ tab: from, view: body.look });
      this.tabs.watch(from, () => this.viewChanged.emit({ tab: from, view: null }));
    }
  }

  async #answer(
    socket: SocketConnection,
    from: string,
    { n, command, limitMs }: Extract<TabMessage, { kind: 'ask' }>,
  ): Promise<void> {
    try {
      const frame = await this.#execute(socket, command, limitMs);
      this.#post({ kind: 'answer', n, frame }, from);
    } catch (error) {
      this.#post({ kind: 'refusal', n, failure: toFailure(error) }, from);
    }
  }

  #post(message: TabMessage, to?: string): void {
    this.tabs.post(message, to);
  }

  #settle(n: number): PendingCommand | undefined {
    const waiting = this.#pending.get(n);
    if (waiting) clearTimeout(waiting.timer);
    this.#pending.delete(n);
    return waiting;
  }

  #fail(n: number): void {
    this.#settle(n)?.reject(unansweredError('The tab that holds the socket did not answer'));
  }

  #failAll(): void {
    for (const n of [...this.#pending.keys()]) this.#fail(n);
  }
}
