/** Makes the sample frames of the raw sender: one for every command, and some that a server must refuse. */

export const FRESH_TOKEN = '$TOKEN'; // replaced by a new token when the frame is sent, so that no token is shown

const conversation = ({ conversationId }) => ({ conversation_id: conversationId });
const message = ({ messageId }) => ({ message_id: messageId });

const FIELDS = {
  subscribe: (at) => ({ ...conversation(at), after_pos: 0 }),
  unsubscribe: conversation,
  'message.send': (at) => ({
    ...conversation(at),
    content: 'A file',
    message_type: 'file',
    client_message_id: crypto.getRandomValues(new Uint32Array(2)).join('-'),
    file_url: 'https://example.org/plan.pdf',
    file_name: 'plan.pdf',
    file_size: 1024,
  }),
  'message.edit': (at) => ({ ...message(at), content: 'Another text', expected_version: 1 }),
  'message.delete': message,
  'message.read': message,
  'read.receipt': message,
  'typing.start': conversation,
  typing: conversation,
  'typing.stop': conversation,
  'presence.set': () => ({ status: 'away', last_seen_visibility: 'everyone' }),
  'presence.watch': () => ({ user_ids: [1, 2] }),
  'presence.unwatch': () => ({ user_ids: [1, 2] }),
  resume: (at) => ({ positions: { [at.conversationId]: 0 } }),
  'auth.refresh': () => ({ token: FRESH_TOKEN }),
  ping: () => ({ ts: Date.now() }),
};

const INVALID_FRAMES = {
  'not JSON': () => 'not json',
  'a list': () => '[]',
  'no type': () => '{"ref": "r1"}',
  'an unknown type with a ref': () => '{"type": "no.such", "ref": "r1"}',
  'an unknown type without a ref': () => '{"type": "no.such"}',
  'a malformed conversation_id': () => '{"type": "subscribe", "conversation_id": "7", "ref": "r1"}',
};

export const templateGroups = { Commands: Object.keys(FIELDS), 'To be refused': Object.keys(INVALID_FRAMES) };

/** The text of one sample frame; `at` names the open conversation and the selected message. */
export function templateText(name, at) {
  if (INVALID_FRAMES[name]) return INVALID_FRAMES[name]();
  return JSON.stringify({ type: name, ref: 'r1', ...FIELDS[name](at) }, null, 2);
}
