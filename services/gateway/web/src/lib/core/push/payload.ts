/** Names and reads what a push says. The contract of it is in shared/docs/protocol.md. */

import type { ConversationType, MessageType, UserId } from '../contract/wire.ts';

/** A new message. How much it says of the message is the gateway's setting. */
export interface MessagePush {
  type: 'message';
  conversation_id: string;
  message_id: string;
  seq: number;
  /** The number of unread messages. */
  badge: number;
  /** Whether it mentions the user. */
  mention: boolean;
  conversation?: { type: ConversationType; title: string | null };
  /** 0 is the system. */
  sender?: { id: UserId; name: string | null };
  message_type?: MessageType;
  text?: string | null;
}

/** The conversation was read up to `seq`, here or on another device. */
export interface ReadPush {
  type: 'read';
  conversation_id: string;
  seq: number;
  badge: number;
}

/** The user wanted to see that a push comes. */
export interface TestPush {
  type: 'test';
  badge: number;
}

export type Push = MessagePush | ReadPush | TestPush;

const TYPES = new Set(['message', 'read', 'test']);

/** Returns null for what this version does not know. */
export function parsePush(text: string | undefined): Push | null {
  try {
    const found: unknown = JSON.parse(text ?? '');
    const isKnown = typeof found === 'object' && found !== null && TYPES.has((found as Push).type);
    return isKnown ? (found as Push) : null;
  } catch {
    return null;
  }
}
