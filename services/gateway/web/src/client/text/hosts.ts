/** Finds where the host of an address ends in running text, and decides which hosts may be links. */

import { isParticle } from './particles.ts';

/** Characters of a host, and Hangul, which in running text more often starts the next word. */
const RUN = /^[a-z0-9._\-\uac00-\ud7a3]*/i;
const ASCII = /^[a-z0-9._-]*/i;
const FULL = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+(?:[a-z][a-z0-9-]*[a-z0-9]|\d{1,3})$/i;
const LABEL = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)$/i;
const IPV6 = /^\[[0-9a-f:.]+\]/i;
/**
 * Characters which show that the host goes on, or which look like Latin letters. Hangul and other scripts
 * without spaces start the next word instead.
 */
const CONTINUES_HOST =
  /^(?![\p{scx=Hangul}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}])[%$&+=\p{L}\p{M}\p{N}]/u;
/** Hangul cannot be mistaken for Latin letters. The last label of a Hangul name must be an existing one. */
const HANGUL_NAME =
  /^(?:[a-z0-9-]+\.)?(?:[\uac00-\ud7a3][\uac00-\ud7a30-9-]*\.)+[a-z]{2,}(?![a-z0-9-]|\.[a-z0-9])/i;
const HANGUL_END =
  /^(?:(?:[a-z0-9_-]+|[\uac00-\ud7a3][\uac00-\ud7a30-9-]*)\.)+(?:한국|닷컴|닷넷|삼성)(?![a-z0-9-]|\.[a-z0-9])/i;
/**
 * After one of these endings the name is complete, so a following word such as 한국 belongs to the sentence.
 */
const COMPLETE_BEFORE =
  /\.(?:com|net|org|info|edu|gov|io|dev|app|ai|co|me|tv|kr|jp|cn|us|uk)\.[\uac00-\ud7a3]+$/i;

/** Returns the host at the beginning of the text. Returns null if no host is certain enough to be opened. */
export function hostAt(text: string): string | null {
  return IPV6.exec(text)?.[0] ?? hangulHost(RUN.exec(text)?.[0] ?? '') ?? asciiHost(text);
}

function hangulHost(run: string): string | null {
  const [name] = HANGUL_NAME.exec(run) ?? [];
  const [ended] = HANGUL_END.exec(run) ?? [];
  if (ended === undefined || COMPLETE_BEFORE.test(ended)) return name ?? null;
  const [behind = ''] = /^[\uac00-\ud7a3]*/.exec(run.slice(ended.length)) ?? [];
  return behind === '' || isParticle(behind) ? ended : null;
}

function asciiHost(text: string): string | null {
  const run = ASCII.exec(text)?.[0] ?? '';
  const host = run.replace(/[.-]+$/, '');
  const behind = text.slice(run.length);
  if (CONTINUES_HOST.test(behind) || !isUnambiguous(host)) return null;
  if (FULL.test(host) || host.toLowerCase() === 'localhost') return host;
  // A name of one label ends for certain only if the next character cannot belong to it.
  return LABEL.test(host) && /^(?:[!-~\s]|$)/.test(behind) ? host : null;
}

/** Browsers read some numbers and encoded names as other hosts. */
function isUnambiguous(host: string): boolean {
  const url = `http://${host}`;
  return URL.canParse(url) && new URL(url).hostname === host.toLowerCase();
}
