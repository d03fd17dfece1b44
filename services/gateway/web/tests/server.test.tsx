import { renderToString } from 'react-dom/server';
import { expect, test, vi } from 'vitest';
import {
  MessengerProvider,
  useConversations,
  useDraft,
  useIsKept,
  useIsNameLoading,
  useMentions,
  useMessages,
  useMuted,
  useName,
  useNames,
  useNotifications,
  useNotify,
  useOutbox,
  useOwnUser,
  useParticipants,
  usePresence,
  usePush,
  useQuietHours,
  useSearch,
  useServerNow,
  useTyping,
  useUnread,
  useUnreadMentions,
  useUser,
  useUserSearch,
  useUsers,
  useWebSocket,
} from '../src/lib/index.ts';

function Everything() {
  useDraft('c');
  useMentions();
  useUnreadMentions('c');
  useMuted('c');
  useNotify('c');
  useName(1);
  useNames([1, 2]);
  useIsNameLoading(1);
  useOwnUser();
  useUser(1);
  useUsers([1, 2]);
  useUserSearch('a');
  useSearch('word', { has: 'file' });
  useNotifications({ describe: () => ({ title: '', body: '' }) });
  usePush({ register: async () => undefined });
  useQuietHours();
  useIsKept();
  useOutbox();
  useParticipants('c');
  usePresence(1);
  useServerNow()();
  useTyping('c');
  const { state } = useWebSocket();
  const { total } = useUnread();
  const { messages, status } = useMessages('c');
  const { conversations } = useConversations();
  return `${state.phase} ${status} ${total} ${messages.length} ${conversations.length}`;
}

test('on a server everything is drawn as it is at first, and nobody is called', () => {
  const getToken = vi.fn(() => '');
  vi.stubGlobal('fetch', vi.fn());
  const html = renderToString(
    <MessengerProvider url="https://chat.example.com" getToken={getToken}>
      <Everything />
    </MessengerProvider>,
  );
  expect(html).toBe('idle empty 0 0 0');
  expect(globalThis.window).toBeUndefined();
  expect(getToken).not.toHaveBeenCalled();
  expect(fetch).not.toHaveBeenCalled();
});

test('outside of a provider a hook says what is missing', () => {
  expect(() => renderToString(<Everything />)).toThrow('MessengerProvider');
});
