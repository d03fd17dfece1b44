/** React hooks for the messenger, and the core that they use. */

export * from './core/index.ts';
export {
  MessengerProvider,
  type MessengerProviderProps,
  useMessenger,
  useSession,
} from './react/context.tsx';
export { type ConversationsView, useConversation, useConversations } from './react/useConversations.ts';
export { type DraftView, useDraft } from './react/useDraft.ts';
export { useFeature } from './react/useFeature.ts';
export { type FileView, useFile } from './react/useFile.ts';
export {
  type MentionsView,
  type UnreadMentionsView,
  useMentions,
  useUnreadMentions,
} from './react/useMentions.ts';
export { type MessagesView, useMessages } from './react/useMessages.ts';
export { type MutedView, type NotifyView, useMuted, useNotify } from './react/useMuted.ts';
export {
  type NotificationsOptions,
  type NotificationsView,
  useNotifications,
} from './react/useNotifications.ts';
export { useIsKept, useOutbox } from './react/useOutbox.ts';
export {
  type ParticipantsView,
  useIsNameLoading,
  useName,
  useNames,
  useOwnUser,
  useParticipants,
  usePresence,
  useUser,
  useUsers,
} from './react/usePeople.ts';
export { type PinsView, usePins } from './react/usePins.ts';
export { type PushOptions, type PushView, usePush } from './react/usePush.ts';
export { type QuietHoursView, useQuietHours } from './react/useQuietHours.ts';
export { type ReactionsView, useReactions } from './react/useReactions.ts';
export { type SearchView, useSearch } from './react/useSearch.ts';
export { useServerNow } from './react/useServerNow.ts';
export { type TypingView, useTyping } from './react/useTyping.ts';
export { type UnreadView, useUnread } from './react/useUnread.ts';
export { type UploadsView, useUploads, useUploadsOf } from './react/useUploads.ts';
export { useUserSearch } from './react/useUserSearch.ts';
export { useWebSocket, type WebSocketView } from './react/useWebSocket.ts';
