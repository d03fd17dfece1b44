/** Gives a push as the title and the text of a notification. */

import { isBlank } from '../../lib/core/base/blank.ts';
import type { MessagePush, NotificationContent, TestPush } from '../../lib/core/index.ts';
import { notificationText } from '../text/notificationText.ts';
import type { WorkerTexts } from './texts.ts';

/** The gateway may be set to say only who wrote, or nothing. */
export function describePush(push: MessagePush | TestPush, texts: WorkerTexts): NotificationContent {
  if (push.type === 'test') return { title: texts.app, body: texts.test };
  return notificationText(texts.app, namesOf(push, texts), bodyOf(push, texts));
}

function namesOf({ sender, conversation }: MessagePush, texts: WorkerTexts): (string | null | undefined)[] {
  if (!sender) return [];
  const name = visible(sender.name) ?? `${texts.user} ${sender.id}`;
  const title = conversation?.type === 'direct' ? null : conversation?.title;
  return [sender.id === 0 ? texts.system : name, title];
}

function bodyOf({ text, message_type: type, mention }: MessagePush, texts: WorkerTexts): string {
  const shown = visible(text);
  if (shown !== null) return shown;
  if (mention) return texts.mention;
  return type === 'file' || type === 'image' ? texts.file : texts.message;
}

const visible = (text: string | null | undefined) => (text && !isBlank(text) ? text : null);
