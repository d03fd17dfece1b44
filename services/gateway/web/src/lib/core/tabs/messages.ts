/** Defines the messages between the tabs of a browser. */

import type { ConnectionState } from '../connection/socketConnection.ts';
import type { Failure } from '../contract/failure.ts';
import type { AnswerFrame, Command, Frame, Standing, UserId } from '../contract/wire.ts';

/** What all tabs receive: the gateway's frames, and the steps of catching up that all tabs have to know. */
export type SharedEvent =
  | Frame
  | { type: 'local.resuming'; ids: string[] }
  | { type: 'local.not_resumed'; ids: string[] }
  | { type: 'local.syncing' }
  | { type: 'local.synced'; standings: Standing[] };

/** What a tab shows to its user. */
export interface ViewState {
  conversations: string[];
  users: UserId[];
  visible: boolean;
  focused: boolean;
}

/**
 * Tabs of an earlier version may still be open, so the names in these messages must not change. `hello`: a tab
 * has started, or leads now. `led`: the leader's connection state. `told`: an event from the leader. `ask`,
 * `answer`, `refusal`: a command to the leader and its outcome. `look`: what a follower shows. `note`: for all
 * tabs. `hint`: for the leader.
 */
export type TabMessage =
  | { kind: 'hello'; leads: boolean }
  | { kind: 'led'; state: ConnectionState; serverNow: number | null }
  | { kind: 'told'; told: SharedEvent }
  | { kind: 'ask'; n: number; command: Command; limitMs: number }
  | { kind: 'answer'; n: number; frame: AnswerFrame }
  | { kind: 'refusal'; n: number; failure: Failure }
  | { kind: 'look'; look: ViewState }
  | { kind: 'note'; note: unknown }
  | { kind: 'hint'; hint: Hint };

/**
 * A hint to the tab that holds the socket. `check`: the user looks at the page. `lost`: the network is gone.
 * `hurry`: it is back. `renew`: there is a new token.
 */
export type Hint = 'check' | 'lost' | 'hurry' | 'renew';

export const EMPTY_VIEW: ViewState = { conversations: [], users: [], visible: false, focused: false };
