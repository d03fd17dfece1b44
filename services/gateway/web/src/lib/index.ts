/** React hooks for the messenger, and the core that they stand on. */

export * from './core/index.ts';
export {
  MessengerProvider,
  type MessengerProviderProps,
  useMessenger,
  useSession,
} from './react/context.tsx';
export { type ConversationsView, useConversation, useConversations } from './react/useConversations.ts';
export { type DraftView, useDraft } from './react/useDraft.ts';
export { type MessagesView, useMessages } from './react/useMessages.ts';
export { type MutedView, useMuted } from './react/useMuted.ts';
export {
  type NotificationsOptions,
  type NotificationsView,
  useNotifications,
} from './react/useNotifications.ts';
export { useOutbox } from './react/useOutbox.ts';
export { type ParticipantsView, useName, useParticipants, usePresence } from './react/usePeople.ts';
export { type TypingView, useTyping } from './react/useTyping.ts';
export { type UnreadView, useUnread } from './react/useUnread.ts';
export { useWebSocket, type WebSocketView } from './react/useWebSocket.ts';
