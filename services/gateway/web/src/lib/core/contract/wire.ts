/** Names the types of all frames and REST objects. They are generated from the gateway's documents. */

import type { components } from '../../contract.gen.ts';

type Schemas = components['schemas'];
type SchemasWithPrefix<Prefix extends string> = {
  [Name in keyof Schemas]: Name extends `${Prefix}.${string}` ? Schemas[Name] : never;
}[keyof Schemas];

/** A user of the host application. Ids above 2^53 cannot be represented as JavaScript numbers. */
export type UserId = number;
export type Message = Schemas['Message'];
/** A file of a message. What the gateway does not know of it is missing. */
export type Attachment = Schemas['File'];
export type FileKind = Attachment['kind'];
/** The state of a message's files has changed. */
export type FilesFrame = Schemas['event.message.files'];
/** A message as REST answers it: with its reactions, if there are any. */
export type HistoryMessage = Schemas['HistoryMessage'];
/** A mention in a text: the user, and its place in UTF-16 units. */
export type Entity = Schemas['Entity'];
/** Whom a message mentions. */
export type Mentions = Schemas['Mentions'];
/** Whom a new or edited message is to mention. */
export type MentionsRequest = Schemas['MentionsRequest'];
/** A message that a search has found, and the places of the words in its text, in UTF-16 units. */
export type SearchHit = Schemas['SearchHit'];
export type SearchPage = Schemas['SearchPage'];
/** A pinned message: who pinned it, and when. */
export type Pin = Schemas['Pin'];
/** A user's reaction to a message. */
export type ReactingUser = Schemas['ReactingUser'];
export type MessageType = Message['message_type'];
export type ConversationRow = Schemas['ConversationRow'];
export type ConversationType = ConversationRow['type'];
export type Participant = Schemas['Participant'];
/** What is known of a user. The name and the picture are null while the host application has not set them. */
export type User = Schemas['User'];
/** The own profile. `external_id` is the host application's id, or null if there is none. */
export type OwnUser = Schemas['OwnUser'];
export type Role = Participant['role'];
export type Settings = Schemas['Settings'];
/** Which messages of a conversation notify the user. */
export type Notify = Settings['notify'];
/** Daily hours without pushes, from `start` to before `end` (HH:MM), in an IANA time zone. */
export type QuietHours = Schemas['QuietHours'];
export type PushSettings = Schemas['PushSettings'];
export type Reader = Schemas['Reader'];
export type MessageVersion = Schemas['Version'];
export type Position = Schemas['Position'];
export type Standing = Schemas['ConversationCounters'];
export type Connected = Schemas['event.system.connected'];
export type ErrorFrame = Schemas['error'];
export type Outcome = Schemas['ReplayResult'];

export type PresenceRow = Schemas['Presence'];
export type PresenceStatus = PresenceRow['status'];

export type EventFrame = SchemasWithPrefix<'event'>;
export type AnswerFrame = SchemasWithPrefix<'answer'>;
export type Frame = EventFrame | AnswerFrame | ErrorFrame;

/** Fields with a default on the server may be left out. */
type WithOptionalDefaults<T> = T extends { type: string; ref?: string }
  ? Omit<T, FieldWithDefault> & Partial<Pick<T, FieldWithDefault & keyof T>>
  : T;
type FieldWithDefault =
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
export type Command = WithOptionalDefaults<SchemasWithPrefix<'command'>>;

export type FrameOf<Type extends string> = Extract<Frame, { type: Type }>;

/** Parses a text frame. Returns null if it is not one of the gateway's frames. */
export function parseFrame(text: unknown): Frame | null {
  if (typeof text !== 'string') return null;
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && 'type' in found ? (found as Frame) : null;
  } catch {
    return null;
  }
}
