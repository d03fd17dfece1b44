/** Owns the names of what goes over the wire: types made from the gateway's documents. */

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
export type Connected = Schemas['event.system.connected'];
export type ErrorFrame = Schemas['error'];
export type Outcome = Schemas['Outcome'];

export type PresenceRow = Schemas['Presence'];
export type PresenceStatus = PresenceRow['status'];

export type EventFrame = Named<'event'>;
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
  | 'status'
  | 'last_seen_visibility'
  | 'ts';
export type Command = Loose<Named<'command'>>;

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
