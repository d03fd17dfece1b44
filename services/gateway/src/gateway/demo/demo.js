/** Wires the page: connects elements to actions, knows what is open, and decides when to draw. */

import { Composer } from './composer.js';
import { ConversationList, parseIds } from './conversations.js';
import { byId } from './dom.js';
import { FrameLog } from './frameLog.js';
import { MessageList } from './messages.js';
import { People } from './people.js';
import { Session } from './session.js';
import { Status } from './status.js';
import { Store } from './store.js';
import { FRESH_TOKEN, templateGroups, templateText } from './templates.js';
import { stripBidiControls } from './text.js';

const query = new URLSearchParams(location.search);
const store = new Store();
const status = new Status();
const people = new People();
const conversations = new ConversationList((id) => open(id));
const messages = new MessageList(() => draw());
const session = new Session(store, new FrameLog(), {
  state: (state) => status.show(state),
  changed: draw,
  newMessage: announce,
  welcomed,
  roundTrip: (millis) => status.roundTrip(millis),
  pastedToken: () => byId('token').value.trim(),
  needsToken: () => { byId('token-field').hidden = false; },
  participantsChanged: (id) => { if (id === openId()) session.loadParticipants(id); },
});
const composer = new Composer(session.ask, openId);

let initialConversationId = query.get('conversation_id'); // from the page's address; null after the first welcome
let isDrawScheduled = false;

/** The field holds the open conversation's id. Commands and drawing both read it, so they never differ. */
function openId() {
  return byId('conversation-id').value.trim();
}

function selected() {
  return messages.selectedId ? store.message(messages.selectedId) : undefined;
}

/** Draws once per animation frame, however many frames arrive in it. */
function draw() {
  if (isDrawScheduled) return;
  isDrawScheduled = true;
  requestAnimationFrame(() => {
    isDrawScheduled = false;
    drawNow();
  });
}

function drawNow() {
  const conversation = store.find(openId());
  conversations.render(store, openId());
  messages.render(store, conversation);
  people.render(store, conversation);
  drawHead(conversation);
  drawTools();
}

function drawHead(conversation) {
  byId('welcome').hidden = openId() !== '';
  byId('talk-title').textContent = openId() ? conversation?.title ?? 'Conversation' : 'No conversation open';
  const { last_seq: seq = 0, read_seq: read = 0, unread = 0 } = conversation?.info ?? {};
  const parts = [`seq ${seq}`, `pos ${conversation?.pos ?? '–'}`, `read ${read}`, `unread ${unread}`];
  parts.push(conversation?.isSubscribed ? 'subscribed' : 'not subscribed');
  byId('talk-numbers').textContent = conversation ? parts.join(' · ') : '';
}

function drawTools() {
  const message = selected();
  const canWork = Boolean(message) && document.body.dataset.connection === 'connected';
  const words = message ? `Selected: seq ${message.seq} of ${message.sender_id}` : 'No message selected';
  byId('selected').textContent = words;
  for (const id of ['edit', 'delete', 'mark-read', 'reply']) byId(id).disabled = !canWork;
}

function open(id) {
  byId('conversation-id').value = id;
  saveInAddress();
  showPane('talk');
  if (!store.find(id)?.isSubscribed) session.subscribe(id);
  draw();
}

function welcomed() {
  saveInAddress();
  const id = openId();
  if (initialConversationId) open(initialConversationId);
  else if (id && !store.find(id)?.wantsSubscription && store.find(id)?.messages.size) session.loadHistory(id);
  initialConversationId = null;
}

/** Keeps user and conversation in the page's address, so that a reload shows the same view. */
function saveInAddress() {
  const kept = new URLSearchParams();
  if (document.body.dataset.connection !== 'idle') kept.set('user_id', String(store.me));
  if (openId()) kept.set('conversation_id', openId());
  history.replaceState(null, '', `${location.pathname}?${kept}`);
  document.title = store.me ? `User ${store.me} · Messenger demo` : 'Messenger · protocol demo';
  byId('other-user').href = `${location.pathname}?user_id=${store.me === 2 ? 1 : 2}`;
}

/** Makes screen readers read out new messages of other users. */
function announce(message) {
  const isHere = message.conversation_id === openId() && message.sender_id !== store.me;
  if (isHere) byId('announcer').textContent = `${message.sender_id}: ${stripBidiControls(message.content ?? '')}`;
}

/** Chooses the pane that is shown on a narrow screen. */
function showPane(view) {
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll('[data-pane]')) {
    tab.setAttribute('aria-pressed', String(tab.dataset.pane === view));
  }
}

function connect() {
  session.connect(Number(byId('user-id').value));
}

function disconnect() {
  session.disconnect();
  saveInAddress();
}

async function create() {
  const type = byId('create-type').value;
  const title = byId('create-title').value;
  const body = { type, participant_ids: parseIds(byId('create-participants').value) };
  const made = await session.create(type === 'direct' ? body : { ...body, title });
  if (made) open(made.id);
}

async function loadOlder() {
  const id = openId();
  const [first] = store.find(id).ordered();
  await session.loadHistory(id, first?.seq);
  messages.keepScrollPosition(drawNow);
}

function markRead() {
  session.ask({ type: 'message.read', message_id: messages.selectedId });
}

function remove() {
  session.ask({ type: 'message.delete', message_id: messages.selectedId });
}

function fillTemplate() {
  const at = { conversationId: openId(), messageId: messages.selectedId ?? '' };
  byId('raw-text').value = templateText(byId('raw-template').value, at);
}

function offerTemplates() {
  for (const [label, names] of Object.entries(templateGroups)) {
    const group = document.createElement('optgroup');
    group.label = label;
    group.append(...names.map((name) => new Option(name)));
    byId('raw-template').append(group);
  }
  fillTemplate();
}

function onClick(id, action) {
  byId(id).addEventListener('click', action);
}

function onSubmit(id, action) {
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    action();
  });
}

function addListeners() {
  onSubmit('connect-form', connect);
  onSubmit('subscribe-form', () => { session.subscribe(openId()); saveInAddress(); draw(); });
  onSubmit('create-form', create);
  onSubmit('raw-form', () => session.sendText(byId('raw-text').value, FRESH_TOKEN));
  onClick('disconnect', disconnect);
  onClick('ping', session.check);
  onClick('refresh', () => session.loadList());
  onClick('more-conversations', () => session.loadList(store.nextCursor));
  onClick('unsubscribe', () => session.unsubscribe(openId()));
  onClick('older', loadOlder);
  onClick('edit', () => composer.enterMode('edit', selected()));
  onClick('reply', () => composer.enterMode('reply', selected()));
  onClick('delete', remove);
  onClick('mark-read', markRead);
  for (const tab of document.querySelectorAll('[data-pane]')) {
    tab.addEventListener('click', () => showPane(tab.dataset.pane));
  }
  byId('conversation-id').addEventListener('input', draw);
  byId('raw-template').addEventListener('change', fillTemplate);
  byId('create-type').addEventListener('change', () => {
    byId('create-title').disabled = byId('create-type').value === 'direct';
  });
  addEventListener('online', session.hurry);
  addEventListener('offline', session.check);
}

function start() {
  addListeners();
  offerTemplates();
  status.show({ name: 'idle', text: 'Not connected' });
  byId('user-id').value = query.get('user_id') ?? '1';
  byId('conversation-id').value = initialConversationId ?? '';
  drawNow();
  if (query.has('user_id') && byId('connect-form').reportValidity()) connect();
}

start();
