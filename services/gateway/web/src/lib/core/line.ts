/**
 * Owns the one line to the gateway that all tabs of a browser share: the leader holds the socket, the others
 * ask through it, and all are told the same. Nobody above this knows which of the tabs it is in.
 */

import { Cell, Happening } from './cell.ts';
import { type Failure, failureOf, MessengerError, offline, unanswered } from './failure.ts';
import type { Link, LinkState } from './link.ts';
import type { Post, Tabs } from './tabs.ts';
import type { AnswerFrame, Command, Frame, Standing, UserId } from './wire.ts';

/** What all tabs are told: the gateway's frames, and steps of coming back that concern everybody. */
export type Told =
  | Frame
  | { type: 'local.resuming'; ids: string[] }
  | { type: 'local.not_resumed'; ids: string[] }
  | { type: 'local.syncing' }
  | { type: 'local.synced'; standings: Standing[] };

/** What a tab's user has before the eyes. */
export interface Look {
  conversations: string[];
  users: UserId[];
  visible: boolean;
  focused: boolean;
}

type Said =
  | { kind: 'hello'; leads: boolean }
  | { kind: 'led'; state: LinkState }
  | { kind: 'told'; told: Told }
  | { kind: 'ask'; n: number; command: Command; limitMs: number }
  | { kind: 'answer'; n: number; frame: AnswerFrame }
  | { kind: 'refusal'; n: number; failure: Failure }
  | { kind: 'look'; look: Look }
  | { kind: 'note'; note: unknown }
  | { kind: 'hint'; hint: Hint };

/** For whoever holds the socket: somebody looks, the network went, it came back, there is another token. */
export type Hint = 'check' | 'lost' | 'hurry' | 'renew';

interface Waiting {
  resolve: (frame: AnswerFrame) => void;
  reject: (error: MessengerError) => void;
  timer: ReturnType<typeof setTimeout>;
}

const ANSWER_MS = 10_000;
/** The leader's own limit comes first; this one is for a leader that is gone. */
const RELAY_MS = 2_000;
const BLIND: Look = { conversations: [], users: [], visible: false, focused: false };

export class Line {
  readonly state = new Cell<LinkState>({ phase: 'connecting' });
  readonly told = new Happening<Told>();
  /** To the leader: what a tab looks at, null when it has ended. */
  readonly looked = new Happening<{ tab: string; look: Look | null }>();
  /** What tabs tell each other besides. */
  readonly noted = new Happening<unknown>();
  readonly tabs: Tabs<unknown>;
  #makeLink: () => Link;
  #link: Link | null = null;
  #look = BLIND;
  #waiting = new Map<number, Waiting>();
  #count = 0;
  #offs: (() => void)[] = [];

  constructor(tabs: Tabs<unknown>, makeLink: () => Link) {
    this.tabs = tabs;
    this.#makeLink = makeLink;
  }

  /** Called when all who listen do. */
  start(): void {
    this.#offs = [
      this.tabs.heard.on((post) => this.#heard(post as Post<Said>)),
      this.tabs.leads.watch((leads) => leads && this.#lead()),
    ];
    if (this.tabs.leads.get()) this.#lead();
    else this.#post({ kind: 'hello', leads: false });
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#link?.stop();
    this.#link = null;
    this.#dropAll();
    this.tabs.stop();
  }

  get leads(): boolean {
    return this.#link !== null;
  }

  ask(command: Command, limitMs = ANSWER_MS): Promise<AnswerFrame> {
    if (this.#link) return this.#perform(this.#link, command, limitMs);
    if (this.state.get().phase !== 'online') return Promise.reject(offline());
    this.#count += 1;
    const n = this.#count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#drop(n), limitMs + RELAY_MS);
      this.#waiting.set(n, { resolve, reject, timer });
      this.#post({ kind: 'ask', n, command, limitMs });
    });
  }

  /** From the leader to everybody, itself included. */
  tell(told: Told): void {
    this.#post({ kind: 'told', told });
    this.told.tell(told);
  }

  /** From any tab to all others. */
  note(note: unknown): void {
    this.#post({ kind: 'note', note });
  }

  look(look: Look): void {
    this.#look = look;
    if (this.#link) this.looked.tell({ tab: this.tabs.id, look });
    else this.#post({ kind: 'look', look });
  }

  hint(hint: Hint): void {
    if (this.#link) this.#heed(this.#link, hint);
    else this.#post({ kind: 'hint', hint });
  }

  #lead(): void {
    const link = this.#makeLink();
    this.#link = link;
    this.#dropAll();
    this.#offs.push(
      link.frames.on((frame) => this.tell(frame)),
      link.state.watch((state) => {
        this.#post({ kind: 'led', state });
        this.state.set(state);
      }),
    );
    this.#post({ kind: 'hello', leads: true });
    this.looked.tell({ tab: this.tabs.id, look: this.#look });
    link.start();
  }

  #heed(link: Link, hint: Hint): void {
    if (hint === 'check') void link.check();
    else link[hint]();
  }

  /** Everybody is told of a `resume` before its replay comes, whoever asked for it. */
  async #perform(link: Link, command: Command, limitMs: number): Promise<AnswerFrame> {
    if (command.type !== 'resume') return link.ask(command, limitMs);
    const ids = Object.keys(command.positions);
    this.tell({ type: 'local.resuming', ids });
    try {
      const answer = await link.ask(command, limitMs);
      // Of those that are no longer ours the answer says nothing.
      const told = answer.type === 'resumed' ? answer.conversations : {};
      this.tell({ type: 'local.not_resumed', ids: ids.filter((id) => !Object.hasOwn(told, id)) });
      return answer;
    } catch (error) {
      this.tell({ type: 'local.not_resumed', ids });
      throw error;
    }
  }

  #heard({ from, body }: Post<Said>): void {
    if (body.kind === 'told') this.told.tell(body.told);
    else if (body.kind === 'led') this.state.set(body.state);
    else if (body.kind === 'hello') this.#greet(from, body.leads);
    else if (body.kind === 'answer') this.#settle(body.n)?.resolve(body.frame);
    else if (body.kind === 'refusal') this.#settle(body.n)?.reject(new MessengerError(body.failure));
    else if (body.kind === 'note') this.noted.tell(body.note);
    else if (this.#link) this.#serve(this.#link, from, body);
  }

  #greet(from: string, leads: boolean): void {
    if (leads) {
      this.#dropAll();
      this.#post({ kind: 'look', look: this.#look }, from);
    } else if (this.#link) {
      this.#post({ kind: 'led', state: this.#link.state.get() }, from);
    }
  }

  #serve(link: Link, from: string, body: Extract<Said, { kind: 'ask' | 'look' | 'hint' }>): void {
    if (body.kind === 'ask') void this.#answer(link, from, body);
    else if (body.kind === 'hint') this.#heed(link, body.hint);
    else {
      this.looked.tell({ tab: from, look: body.look });
      this.tabs.watch(from, () => this.looked.tell({ tab: from, look: null }));
    }
  }

  async #answer(
    link: Link,
    from: string,
    { n, command, limitMs }: Extract<Said, { kind: 'ask' }>,
  ): Promise<void> {
    try {
      const frame = await this.#perform(link, command, limitMs);
      this.#post({ kind: 'answer', n, frame }, from);
    } catch (error) {
      this.#post({ kind: 'refusal', n, failure: failureOf(error) }, from);
    }
  }

  #post(said: Said, to?: string): void {
    this.tabs.post(said, to);
  }

  #settle(n: number): Waiting | undefined {
    const waiting = this.#waiting.get(n);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(n);
    return waiting;
  }

  #drop(n: number): void {
    this.#settle(n)?.reject(unanswered('The tab that holds the socket did not answer'));
  }

  #dropAll(): void {
    for (const n of [...this.#waiting.keys()]) this.#drop(n);
  }
}
