/** The types of uploads: what the user sees, and what is saved so that an upload outlives the page. */

import type { Failure } from '../contract/failure.ts';
import type { Attachment, FileKind } from '../contract/wire.ts';
import { UPLOAD_PREFIX } from './fileCache.ts';

/** `waiting`: its turn has not come. `ready`: complete, so its message can be sent. `failed`: see `failure`. */
export type UploadPhase = 'waiting' | 'uploading' | 'ready' | 'failed';

export interface Upload {
  id: string;
  conversationId: string;
  /** The `client_message_id` of the message that it was sent with. Null while it belongs to the draft. */
  messageId: string | null;
  /** The file as a message shows it. `useFile` has its bytes. */
  file: Attachment;
  phase: UploadPhase;
  /** The number of bytes that are sent. */
  sent: number;
  /** Why it failed, or, while it is `uploading`, why it waits for another try. */
  failure: Failure | null;
}

/** Where the bytes go, as the gateway says. */
export interface UploadTarget {
  method: string;
  /** Absolute, or a path on the gateway. */
  url: string;
  headers: Record<string, string>;
  /** If given, `url` answers which parts are missing, and each part has a URL of its own. */
  part_bytes?: number;
}

/** What is saved of an upload. Its bytes are saved beside it, once. */
export interface UploadRecord {
  id: string;
  conversationId: string;
  messageId: string | null;
  name: string;
  size: number;
  mime: string;
  createdAt: number;
  /** The size of a picture, where the page has measured it. */
  width?: number;
  height?: number;
  fileId: string | null;
  target: UploadTarget | null;
  /** The complete file. */
  file: Attachment | null;
}

/** Types that browsers show as pictures and that hold no scripts. */
const PICTURES = /^image\/(png|jpeg|gif|webp|avif)$/;

/** The kind that the gateway will probably find. */
export function kindOf(mime: string): FileKind {
  if (PICTURES.test(mime)) return 'image';
  return mime.startsWith('audio/') ? 'audio' : mime.startsWith('video/') ? 'video' : 'file';
}

/** A file as a message shows it until it is uploaded. */
export function attachmentOf({ id, name, size, mime, width, height, file }: UploadRecord): Attachment {
  const place = width && height ? { width, height } : {};
  if (file) return { ...place, ...file };
  return { file_id: UPLOAD_PREFIX + id, name, size, mime, kind: kindOf(mime), state: 'ready', ...place };
}
