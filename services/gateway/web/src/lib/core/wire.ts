/** Owns the names of what goes over the wire: types made from the gateway's documents, and the few that they lack. */

import type { components } from '../contract.gen.ts';

type Schemas = components['schemas'];
type Named<Prefix extends string> = {
  [Name in keyof Schemas]: Name extends `${Prefix}.${string}` ? Schemas[Name] : never;
}[keyof Schemas];

/** A user of the host application. Ids above 2^53 do not survive JavaScript's numbers. */
export type UserId = number;
export type Message = Schemas['Message'];
export type MessageType = Message['message_type'];
export type ConversationRow = Schemas['ConversationRow'];
export type ConversationType = ConversationRow['type'];
export type Participant = Schemas['Participant'];
export type Role = Participant['role'];
export type Settings = Schemas['Settings'];
export type Reader = Schemas['Reader'];
export type MessageVersion = Schemas['Version'];
export type Standing = Schemas['Standing'];
export type Connected = Schemas['event.system'];
export type ErrorFrame = Schemas['error'];
export type Outcome = Schemas['Outcome'];

export type PresenceStatus = 'online' | 'away' | 'offline' | 'invisible';

export interface PresenceRow {
  user_id: UserId;
  status: PresenceStatus;
  last_seen_at: string | null;
}

/** Frames that a gateway may know and its documents don't yet. */
type Later =
  | { type: 'system'; event: 'draining'; reconnect_after_ms: number }
  | { type: 'user.away'; user_id: UserId; timestamp: string }
  | { type: 'presence.batch'; users: PresenceRow[] }
  | { type: 'presence.state'; users: PresenceRow[]; ref?: string }
  | { type: 'presence.ok'; ref?: string };

type LaterCommand =
  | { type: 'presence.set'; status?: 'online' | 'away' | 'invisible'; ref?: string }
  | { type: 'presence.watch' | 'presence.unwatch'; user_ids: UserId[]; ref?: string };

export type EventFrame = Exclude<Named<'event'>, Connected> | Connected | Later;
export type AnswerFrame = Named<'answer'>;
export type Frame = EventFrame | AnswerFrame | ErrorFrame;

/** What the server fills in if it is left out need not be sent. */
type Loose<T> = T extends { type: string; ref?: string }
  ? Omit<T, Optional> & Partial<Pick<T, Optional & keyof T>>
  : T;
type Optional =
  | 'after_pos'
  | 'message_type'
  | 'client_message_id'
  | 'reply_to'
  | 'file_url'
  | 'file_name'
  | 'file_size'
  | 'expected_version'
  | 'ts';
export type Command = Loose<Named<'command'> | LaterCommand>;

export type FrameOf<Type extends string> = Extract<Frame, { type: Type }>;

/** The object in a text frame, or null if it is none of ours. */
export function parseFrame(text: unknown): Frame | null {
  if (typeof text !== 'string') return null;
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && 'type' in found ? (found as Frame) : null;
  } catch {
    return null;
  }
}
