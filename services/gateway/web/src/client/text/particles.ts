/** Recognises Korean particles that people write directly after an address. They belong to the sentence. */

const ENDINGS = '(?:은|는|도|만|의|요|까지|부터|보다|처럼)';
/** Particles of one syllable. Each of them is also a word. */
const SHORT = '은|이|가|도|의|로|나|와|과|만|에|요|랑|께|임|죠';
const LONG = [
  '을|를|는|에서|에게|에게서|에다|에다가|으로|로서|로써|으로서|으로써|로부터|으로부터|에서부터|까지|부터|보다|마다|밖에|조차|마저|처럼|같이|대로|뿐',
  '이랑|하고|이나|이든|든지|이든지|라도|이라도|야말로|이야말로|한테|한테서|께서|이란|라는|이라는|라고|이라고|이고|이며|이다|인데|인가|인지',
  '입니다|입니까|이에요|예요|이요|이죠|였다|이었다|였습니다|이었습니다|인가요|인데요|네요',
].join('|');

const ANY = new RegExp(`^(?:${SHORT}|${LONG}|(?:${SHORT}|${LONG})${ENDINGS})$`);
const CERTAIN = new RegExp(`^(?:${LONG}|(?:${SHORT}|${LONG})${ENDINGS})$`);

export const isParticle = (syllables: string): boolean => ANY.test(syllables);

/**
 * For places where a word is possible too, such as a page name: accepts only particles that are not words.
 */
export const isSurelyParticle = (syllables: string): boolean => CERTAIN.test(syllables);
