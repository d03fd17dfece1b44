/** Runs the message box: it sends, edits and replies, and sends typing frames meanwhile. */

import { byId } from './dom.js';

const TYPING_EVERY_MS = 3_000; // half of a typing frame's default lifetime
const TYPING_IDLE_MS = 4_000;

function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class Composer {
  #ask;
  #openId;
  #mode = null; // {kind: 'edit' or 'reply', message}
  #typingSentAt = null; // when the last automatic typing.start was sent
  #idleTimer = null;

  /** `ask` sends a command and resolves to its answer or null; `openId` names the open conversation. */
  constructor(ask, openId) {
    this.#ask = ask;
    this.#openId = openId;
    byId('send-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId('text').addEventListener('keydown', (event) => this.#handleKey(event));
    byId('text').addEventListener('input', () => this.#typed());
    byId('cancel-mode').addEventListener('click', () => this.leaveMode());
    byId('new-id').addEventListener('click', () => { byId('client-message-id').value = randomId(); });
    byId('typing-start').addEventListener('click', () => this.#typing('typing.start'));
    byId('typing-stop').addEventListener('click', () => this.#typing('typing.stop'));
  }

  enterMode(kind, message) {
    this.#mode = { kind, message };
    const edits = kind === 'edit';
    const words = edits ? `Editing seq ${message.seq}, version ${message.version}` : `Answering seq ${message.seq}`;
    byId('mode-text').textContent = words;
    byId('composer-mode').hidden = false;
    byId('send').textContent = edits ? 'Save edit' : 'Send';
    if (edits) byId('text').value = message.content ?? '';
    byId('text').focus();
  }

  leaveMode() {
    if (this.#mode?.kind === 'edit') byId('text').value = '';
    this.#mode = null;
    byId('composer-mode').hidden = true;
    byId('send').textContent = 'Send';
  }

  /** Empties the box at once. A refused text is restored, unless the user has begun another one. */
  async #submit() {
    if (byId('send').disabled) return;
    const box = byId('text');
    const content = box.value;
    const mode = this.#mode;
    const command = this.#command(content);
    this.#stopTyping();
    this.leaveMode();
    box.value = '';
    const answer = await this.#ask(command);
    if (answer || box.value) return;
    if (mode) this.enterMode(mode.kind, mode.message);
    box.value = content;
  }

  #command(content) {
    const { kind, message } = this.#mode ?? {};
    if (kind === 'edit') {
      return { type: 'message.edit', message_id: message.id, content, expected_version: message.version };
    }
    const command = { type: 'message.send', conversation_id: this.#openId(), content };
    const clientId = byId('client-message-id').value.trim();
    if (clientId) command.client_message_id = clientId;
    if (kind === 'reply') command.reply_to = message.id;
    return command;
  }

  #handleKey(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#submit();
    }
    if (event.key === 'Escape') this.leaveMode();
  }

  #typing(type) {
    return this.#ask({ type, conversation_id: this.#openId() });
  }

  #typed() {
    if (!byId('typing-auto').checked || byId('send').disabled) return;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#stopTyping(), TYPING_IDLE_MS);
    const now = performance.now();
    if (this.#typingSentAt !== null && now - this.#typingSentAt < TYPING_EVERY_MS) return;
    this.#typingSentAt = now;
    this.#typing('typing.start');
  }

  #stopTyping() {
    clearTimeout(this.#idleTimer);
    if (this.#typingSentAt !== null) this.#typing('typing.stop');
    this.#typingSentAt = null;
  }
}
