/** Shows the state of the connection at the top of the page. */

import { byId } from './dom.js';

const TICK_MS = 200;

export class Status {
  #tick = null;

  show({ name, text, session, until }) {
    clearInterval(this.#tick);
    document.body.dataset.connection = name;
    byId('state').textContent = text;
    byId('state').title = session ? `session ${session}` : '';
    byId('countdown').textContent = '';
    if (name !== 'connected') byId('round-trip').textContent = '';
    if (until) this.#countDown(until);
    this.#enable(name);
  }

  roundTrip(millis) {
    byId('round-trip').textContent = `ping ${millis.toFixed(1)} ms`;
  }

  /** The countdown has an element of its own: screen readers read the state line out at every change. */
  #countDown(until) {
    const tell = () => {
      const left = Math.max(0, until - performance.now());
      byId('countdown').textContent = `in ${(left / 1000).toFixed(1)} s`;
    };
    tell();
    this.#tick = setInterval(tell, TICK_MS);
  }

  #enable(name) {
    const isLive = name === 'connected';
    for (const button of document.querySelectorAll('[data-live]')) button.disabled = !isLive;
    byId('disconnect').disabled = name === 'idle' || name === 'closed';
    byId('connect').disabled = isLive || name === 'connecting';
    byId('connect').textContent = name === 'waiting' ? 'Connect now' : 'Connect';
    byId('user-id').readOnly = isLive || name === 'connecting';
  }
}
