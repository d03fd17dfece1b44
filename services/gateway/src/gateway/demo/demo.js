/** Wires the page: which element does what, what is open, and when to draw. Everything else is in the modules. */

import { Composer } from './composer.js';
import { ConversationList, idsIn } from './conversations.js';
import { byId } from './dom.js';
import { FrameLog } from './log.js';
import { MessageList } from './messages.js';
import { People } from './people.js';
import { Session } from './session.js';
import { Status } from './status.js';
import { Store } from './store.js';
import { FRESH_TOKEN, groups, textOf } from './templates.js';

const query = new URLSearchParams(location.search);
const store = new Store();
const status = new Status();
const people = new People();
const conversations = new ConversationList((id) => open(id));
const messages = new MessageList(() => draw());
const session = new Session(store, new FrameLog(), {
  state: (state) => status.show(state),
  changed: draw,
  said: announce,
  welcomed,
  roundTrip: (millis) => status.roundTrip(millis),
  pastedToken: () => byId('token').value.trim(),
  needsToken: () => { byId('token-field').hidden = false; },
  peopleChanged: (id) => { if (id === openId()) session.loadPeople(id); },
});
const composer = new Composer(session.ask, openId);

let toOpen = query.get('conversation_id'); // from the address, until the first welcome
let drawing = false;

/** What the field says is what the commands go to and what is on the screen: one place, no second truth. */
function openId() {
  return byId('conversation-id').value.trim();
}

function selected() {
  return messages.selectedId ? store.message(messages.selectedId) : undefined;
}

/** Many frames of one moment are one drawing. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
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
  parts.push(conversation?.subscribed ? 'subscribed' : 'not subscribed');
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
  remember();
  show('talk');
  if (!store.find(id)?.subscribed) session.subscribe(id);
  draw();
}

function welcomed() {
  remember();
  const id = openId();
  if (toOpen) open(toOpen);
  else if (id && !store.find(id)?.wanted && store.find(id)?.messages.size) session.loadHistory(id);
  toOpen = null;
}

/** The address keeps user and conversation, so that a reload comes back to the same view. */
function remember() {
  const kept = new URLSearchParams();
  if (document.body.dataset.connection !== 'idle') kept.set('user_id', String(store.me));
  if (openId()) kept.set('conversation_id', openId());
  history.replaceState(null, '', `${location.pathname}?${kept}`);
  document.title = store.me ? `User ${store.me} · Messenger demo` : 'Messenger · protocol demo';
  byId('other-user').href = `${location.pathname}?user_id=${store.me === 2 ? 1 : 2}`;
}

/** New messages of others are read out to those who can't see them. */
function announce(message) {
  const isHere = message.conversation_id === openId() && message.sender_id !== store.me;
  if (isHere) byId('announcer').textContent = `${message.sender_id}: ${message.content ?? ''}`;
}

/** On a narrow screen one pane at a time is shown. */
function show(view) {
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
  remember();
}

async function create() {
  const type = byId('create-type').value;
  const title = byId('create-title').value;
  const body = { type, participant_ids: idsIn(byId('create-participants').value) };
  const made = await session.create(type === 'direct' ? body : { ...body, title });
  if (made) open(made.id);
}

async function older() {
  const id = openId();
  const [first] = store.find(id).ordered();
  await session.loadHistory(id, first?.seq);
  messages.keepingPlace(drawNow);
}

function markRead() {
  session.ask({ type: 'message.read', message_id: messages.selectedId });
}

function remove() {
  session.ask({ type: 'message.delete', message_id: messages.selectedId });
}

function fillTemplate() {
  const at = { conversationId: openId(), messageId: messages.selectedId ?? '' };
  byId('raw-text').value = textOf(byId('raw-template').value, at);
}

function offerTemplates() {
  for (const [label, names] of Object.entries(groups)) {
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

function wire() {
  onSubmit('connect-form', connect);
  onSubmit('subscribe-form', () => { session.subscribe(openId()); remember(); draw(); });
  onSubmit('create-form', create);
  onSubmit('raw-form', () => session.sendText(byId('raw-text').value, FRESH_TOKEN));
  onClick('disconnect', disconnect);
  onClick('ping', session.check);
  onClick('refresh', () => session.loadList());
  onClick('more-conversations', () => session.loadList(store.nextCursor));
  onClick('unsubscribe', () => session.unsubscribe(openId()));
  onClick('older', older);
  onClick('edit', () => composer.enterMode('edit', selected()));
  onClick('reply', () => composer.enterMode('reply', selected()));
  onClick('delete', remove);
  onClick('mark-read', markRead);
  for (const tab of document.querySelectorAll('[data-pane]')) {
    tab.addEventListener('click', () => show(tab.dataset.pane));
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
  wire();
  offerTemplates();
  status.show({ name: 'idle', text: 'Not connected' });
  byId('user-id').value = query.get('user_id') ?? '1';
  byId('conversation-id').value = toOpen ?? '';
  drawNow();
  if (query.has('user_id') && byId('connect-form').reportValidity()) connect();
}

start();
