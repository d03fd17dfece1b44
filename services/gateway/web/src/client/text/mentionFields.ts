/** Converts between the mentions in a text that is being written and those of a message. */

import type { Entity, MentionFields, MentionsRequest, Message, UserId } from '@messenger/react';
import { type DraftMention, standing } from './draftMentions.ts';
import { findAllWords } from './mentionedAll.ts';

type MentionedMessage = Pick<Message, 'content' | 'mentions' | 'entities'>;

/** The gateway refuses more. */
const MAX_ENTITIES = 50;

/** What a message with this text says of its mentions. The text is sent without the white space around it. */
export function mentionFieldsOf(
  typed: string,
  mentions: readonly DraftMention[],
  edited: MentionedMessage | null,
): MentionFields {
  const indent = typed.length - typed.trimStart().length;
  const found = standing(mentions, typed);
  const entities = found.flatMap(({ user, start, label }): Entity[] =>
    user === 'all' ? [] : [{ type: 'mention', user_id: user, offset: start - indent, length: label.length }],
  );
  const all = found.some(({ user }) => user === 'all') || isAllHidden(edited);
  const user_ids = hiddenUsers(edited);
  const request: MentionsRequest = { ...(all ? { all } : {}), ...(user_ids.length ? { user_ids } : {}) };
  return {
    ...(entities.length ? { entities: entities.slice(0, MAX_ENTITIES) } : {}),
    ...(Object.keys(request).length ? { mentions: request } : {}),
  };
}

/** Returns the mentions in the text of a message, in their order. */
export function draftMentionsOf({ content, mentions, entities = [] }: MentionedMessage): DraftMention[] {
  const text = content ?? '';
  const words = mentions?.all ? findAllWords(text) : [];
  const found: DraftMention[] = [
    ...entities.map(({ user_id: user, offset: start, length }) => ({
      user,
      start,
      label: text.slice(start, start + length),
    })),
    ...words.map((word) => ({ ...word, user: 'all' as const })),
  ];
  return found.sort((a, b) => a.start - b.start);
}

/** Another application may mention users who are not in the text. An edit of the text keeps them. */
function hiddenUsers(edited: MentionedMessage | null): UserId[] {
  const shown = new Set(edited?.entities?.map((entity) => entity.user_id));
  return (edited?.mentions?.user_ids ?? []).filter((id) => !shown.has(id));
}

function isAllHidden(edited: MentionedMessage | null): boolean {
  return !!edited?.mentions?.all && findAllWords(edited.content ?? '').length === 0;
}
