/** Rules of mentions: whom a message mentions, and where its mentions stand in the text. */

import { wellFormed } from '../base/wellFormed.ts';
import type { Entity, Mentions, MentionsRequest, Message, UserId } from './wire.ts';

/** What a message says of its mentions when it is sent or edited. */
export interface MentionFields {
  /** Users who are not in `entities` too, and whether all members are mentioned. */
  mentions?: MentionsRequest;
  /** The mentions in the text, by offset and length in UTF-16 units. */
  entities?: Entity[];
}

/** Whether somebody else's message mentions this user, by name or with all members. */
export function mentionsUser(message: Message | undefined, user: UserId): boolean {
  if (!message?.mentions || message.deleted_at || message.sender_id === user) return false;
  return message.mentions.all || message.mentions.user_ids.includes(user);
}

/** The mentions that the gateway will find in an unsent message, if all mentioned users are members. */
export function expectedMentions({ mentions, entities = [] }: MentionFields): Mentions | null {
  const ids = [...(mentions?.user_ids ?? []), ...entities.map((entity) => entity.user_id)];
  const all = mentions?.all ?? false;
  return ids.length > 0 || all ? { user_ids: [...new Set(ids)], all } : null;
}

/** Returns text that the gateway accepts, with its entities in their places. */
export function wellFormedText<T extends MentionFields & { content: string }>(fields: T): T {
  const { content, entities } = fields;
  const at = (offset: number) => content.slice(0, offset).replaceAll('\0', '').length;
  const moved = entities?.map((entity) => {
    const offset = at(entity.offset);
    return { ...entity, offset, length: at(entity.offset + entity.length) - offset };
  });
  return { ...fields, content: wellFormed(content), ...(moved ? { entities: moved } : {}) };
}
