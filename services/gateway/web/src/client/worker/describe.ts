/** Gives a push as the title and the text of a notification. */

import { isBlank } from '../../lib/core/base/blank.ts';
import type { MessagePush, NotificationContent, TestPush } from '../../lib/core/index.ts';
import { isolateBidi, stripBidiControls } from '../text/bidi.ts';
import { truncate } from '../text/graphemes.ts';
import type { WorkerTexts } from './texts.ts';

const BODY_CHARS = 140;

/** The gateway may be set to say only who wrote, or nothing. */
export function describePush(push: MessagePush | TestPush, texts: WorkerTexts): NotificationContent {
  if (push.type === 'test') return { title: texts.app, body: texts.test };
  return { title: titleOf(push, texts), body: bodyOf(push, texts) };
}

function titleOf({ sender, conversation }: MessagePush, texts: WorkerTexts): string {
  if (!sender) return texts.app;
  const name = sender.id === 0 ? texts.system : (visible(sender.name) ?? `${texts.user} ${sender.id}`);
  const title = conversation?.type === 'direct' ? null : visible(conversation?.title);
  return [name, title]
    .filter((part) => part !== null)
    .map((part) => isolateBidi(part))
    .join(' · ');
}

function bodyOf({ text, message_type: type, mention }: MessagePush, texts: WorkerTexts): string {
  const shown = visible(text);
  if (shown !== null) return truncate(stripBidiControls(shown), BODY_CHARS);
  if (mention) return texts.mention;
  return type === 'file' || type === 'image' ? texts.file : texts.message;
}

const visible = (text: string | null | undefined) => (text && !isBlank(text) ? text : null);
