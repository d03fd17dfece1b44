/** The core, for use without a framework. */

export { isBlank } from './base/blank.ts';
export { fold } from './base/fold.ts';
export { areInitials, keysOf } from './base/hangul.ts';
export type { Readable } from './base/observable.ts';
export type { ConnectionState } from './connection/socketConnection.ts';
export type { GetToken } from './connection/tokens.ts';
export { type Failure, MessengerError } from './contract/failure.ts';
export { type MentionFields, mentionsUser } from './contract/mentions.ts';
export type * from './contract/wire.ts';
export type { NewConversation } from './conversations/actions.ts';
export type { History } from './conversations/history.ts';
export type { MentionRange } from './conversations/mentionFinder.ts';
export type { MentionListState } from './conversations/mentionList.ts';
export type { Directory } from './conversations/names.ts';
export type { PinsState } from './conversations/pins.ts';
export { emojiKey, type MessageReactions, type Reaction } from './conversations/reactions.ts';
export type { IncomingMessage } from './conversations/store.ts';
export type { ChatMessage, MessageStatus } from './conversations/timeline.ts';
export type { UserSearchState } from './conversations/userSearch.ts';
export { type FileState, NO_BYTES } from './files/fileCache.ts';
export type { Upload, UploadPhase } from './files/upload.ts';
export type { NewUpload } from './files/uploads.ts';
export { connect, Messenger, type MessengerOptions } from './messenger.ts';
export type { Draft, OutboxEntry } from './outbox/outbox.ts';
export type { MessagePush, Push, ReadPush, TestPush } from './push/payload.ts';
export type { PushObstacle } from './push/pushBrowser.ts';
export type { PushState, PushStatus } from './push/pushDevice.ts';
export {
  type ClientWindow,
  type NotificationContent,
  type NotificationData,
  type NotificationRequest,
  openConversation,
  receivePush,
  type ShownNotification,
  tellOfSubscription,
  type WorkerMessage,
  type WorkerPort,
} from './push/workerEvents.ts';
export { findSomeWords, findWords, type Highlight } from './search/matching.ts';
export type { SearchState } from './search/messageSearch.ts';
export type { SearchFilters } from './search/query.ts';
export type { Session } from './session.ts';
export type { ListState } from './sync/listLoader.ts';
