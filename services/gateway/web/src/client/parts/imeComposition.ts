/**
 * Tracks an input method's composition in a text field, such as a Hangul syllable, and the Enter presses that
 * end one.
 */

const HANGUL = /^[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]+$/;
/** The key code that some browsers give to every key during a composition. */
const COMPOSING_KEY_CODE = 229;
/** The input types with which browsers insert composed text. */
const COMMIT_INPUT_TYPES = ['insertText', 'insertCompositionText', 'insertFromComposition'];

export class ImeComposition {
  isOpen = false;
  #text = '';
  /**
   * The text of a composition that ended in this turn. Some browsers report the key that ended it only
   * afterwards.
   */
  #endedText = '';
  /** The text that an input method may insert again after a click has ended the composition. */
  #committedText = '';
  #pendingEnter: (() => void) | null = null;
  #timers = new Set<ReturnType<typeof setTimeout>>();

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#pendingEnter = null;
  }

  start(): void {
    this.isOpen = true;
    this.#committedText = '';
  }

  update(text: string): void {
    this.#text = text;
  }

  end(): void {
    this.isOpen = false;
    this.#endedText = this.#text;
    this.#text = '';
    this.#defer(() => {
      this.#endedText = '';
    });
    // If a composition ends because the next one begins, Enter is not meant, even if it is pressed before the
    // timer runs.
    if (!this.#pendingEnter) return;
    // By then the composed text is in the field, and also the line break that some browsers add to it.
    this.#defer(() => this.#takePendingEnter()?.());
  }

  /**
   * Returns whether a key is part of a composition. An Enter that ends a Hangul syllable calls `enter` when
   * the syllable has ended.
   */
  handleKey(event: KeyboardEvent, isEnter: boolean, enter: () => void): boolean {
    this.#committedText = '';
    const isPart = event.isComposing || event.keyCode === COMPOSING_KEY_CODE;
    if (!isPart) {
      // Some browsers report the same press again when the composition is over.
      if (isEnter) this.#pendingEnter = null;
      return false;
    }
    const text = this.isOpen ? this.#text : this.#endedText;
    if (!isEnter) return true;
    this.#pendingEnter = HANGUL.test(text) ? enter : null;
    if (this.#pendingEnter && !this.isOpen) {
      event.preventDefault();
      this.#defer(() => this.#takePendingEnter()?.());
    }
    return true;
  }

  /** Ends an open composition. Its text is then in the field for good. */
  commit(field: HTMLElement | null): void {
    if (!this.isOpen || !field) return;
    const text = this.#text;
    field.blur();
    field.focus({ preventScroll: true });
    this.isOpen = false;
    this.#committedText = text;
  }

  /** Whether an input method inserts text again that was already taken. The user pressed no key for it. */
  isRepeatedCommit(event: InputEvent): boolean {
    const isIt =
      this.#committedText !== '' &&
      COMMIT_INPUT_TYPES.includes(event.inputType) &&
      event.data === this.#committedText;
    this.#committedText = '';
    return isIt;
  }

  /** Makes a change of the page's own. What the input method may insert again is then still recognised. */
  keepCommitted(change: () => void): void {
    const committed = this.#committedText;
    change();
    this.#committedText = committed;
  }

  #takePendingEnter(): (() => void) | null {
    const wanted = this.#pendingEnter;
    this.#pendingEnter = null;
    return wanted;
  }

  #defer(action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}
