/** Gives a message as one line of text: for the list, quotes, notifications and screen readers. */

import { isBlank, type Message } from '@messenger/react';
import type { Translate } from '../i18n/language.tsx';
import { stripBidiControls } from './bidi.ts';

export type PreviewFields = Pick<
  Message,
  'content' | 'file_url' | 'file_name' | 'attachments' | 'deleted_at' | 'mentions' | 'entities'
>;

/** `plain` removes the marks of formatting from the content. */
export function previewOf(
  message: PreviewFields,
  t: Translate,
  plain = (content: string, _message: PreviewFields): string => content,
): string {
  const { content, file_name: file, attachments = [] } = message;
  if (message.deleted_at) return t('message.deleted');
  if (content && !isBlank(content)) return plain(content, message);
  if (attachments.length > 0) return attachmentsPreview(attachments, t);
  return fileName(file) ?? t(message.file_url ? 'message.file' : 'message.blank');
}

/** Pictures and films need no names; a single other file has one. */
function attachmentsPreview(files: NonNullable<Message['attachments']>, t: Translate): string {
  const count = files.length;
  const [first] = files;
  const isAll = (kind: string) => files.every((file) => file.kind === kind);
  if (isAll('image')) return count === 1 ? t('files.picture') : t('files.pictures', { count });
  if (isAll('video')) return count === 1 ? t('files.video') : t('files.videos', { count });
  return count === 1 ? (fileName(first?.name) ?? t('message.file')) : t('files.files', { count });
}

/** Returns null if there is no visible name. */
export function fileName(name: string | null | undefined): string | null {
  return name && !isBlank(name) ? stripBidiControls(name) : null;
}
