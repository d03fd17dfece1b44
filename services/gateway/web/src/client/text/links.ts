/**
 * Finds the web addresses in a text, and where they end. A link opens exactly what it shows. An address that
 * could be read as another host, or that hides user info, stays text.
 */

import { hostAt } from './hosts.ts';
import { isParticle, isSurelyParticle } from './particles.ts';

export interface FoundLink {
  start: number;
  end: number;
  url: string;
}

/**
 * The scheme must not be in the middle of a word. Addresses without a scheme, mail addresses and
 * `javascript:` are not links.
 */
const SCHEME = /https?:\/\//gi;
const WORD = /[a-z0-9+.-]/i;
const AUTHORITY = /^[^/?#\s]*/;
const PORT = /^:\d+/;
/**
 * Characters that end an address anywhere: white space, controls, quotes, brackets and full-width
 * punctuation.
 */
const REST =
  /^[/?#](?:(?![\p{Cc}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf})[^\s<>"`\\^|\u2018-\u201f\u2026\u00ab\u00bb\u2039\u203a\u3001-\u3003\u3008-\u301f\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b-\uff65])*/u;
const NEXT = /[,;|]https?:\/\//i;
const STOPS = ".,;:!?'*~\u00b7\u200c\u200d";
/** Two rounds remove a particle, and punctuation on both sides of it. */
const ROUNDS = 2;
const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const HANGUL_TAIL = /^(.*[^\uac00-\ud7a3])([\uac00-\ud7a3]+)$/s;
/** Chinese, Japanese and emoji directly after Latin letters, because these are written without spaces. */
const UNSPACED_TAIL =
  /([a-z0-9)%])(?:[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Extended_Pictographic}\p{EMod}]|\ufe0f|\u200d)+$/iu;
const OBJECT_TAIL = /(\/)を.*$/s;

export function findLinks(text: string): FoundLink[] {
  const found: FoundLink[] = [];
  for (const { index: start, 0: scheme } of text.matchAll(SCHEME)) {
    if (start < (found.at(-1)?.end ?? 0) || WORD.test(text.charAt(start - 1))) continue;
    const url = scheme + addressAt(text.slice(start + scheme.length));
    if (isWebUrl(url)) found.push({ start, end: start + url.length, url });
  }
  return found;
}

/** Addresses with user info are refused, because it would be invisible or look like the host. */
export function isWebUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password } = new URL(url);
  return ['http:', 'https:'].includes(protocol) && !username && !password;
}

/**
 * Returns the text after the scheme, as far as it belongs to the address. Returns an empty text if that is
 * not certain.
 */
function addressAt(text: string): string {
  const authority = AUTHORITY.exec(text)?.[0] ?? '';
  const host = authority.includes('@') ? null : hostAt(authority);
  // Two schemes in a row are not a valid address.
  if (host === null || text.startsWith('://', host.length)) return '';
  const port = PORT.exec(text.slice(host.length))?.[0] ?? '';
  return host + port + restAt(text.slice(host.length + port.length));
}

function restAt(text: string): string {
  const run = REST.exec(text)?.[0] ?? '';
  const next = NEXT.exec(run)?.index ?? run.length;
  return withoutSentence(cutAtClosingBracket(run.slice(0, next)));
}

/** Cuts at the closing bracket of a bracket that was opened before the address. */
function cutAtClosingBracket(rest: string): string {
  const open: string[] = [];
  for (let at = 0; at < rest.length; at += 1) {
    const sign = rest.charAt(at);
    if ('([{'.includes(sign)) open.push(sign);
    else if (sign in PAIRS && open.pop() !== PAIRS[sign]) return rest.slice(0, at);
  }
  return rest;
}

/**
 * Removes what belongs to the sentence: punctuation, and words that are written directly after the address.
 */
function withoutSentence(rest: string): string {
  let shorter = rest;
  for (let round = 0; round < ROUNDS; round += 1) {
    const bare = withoutStops(shorter).replace(OBJECT_TAIL, '$1').replace(UNSPACED_TAIL, '$1');
    shorter = withoutParticle(bare);
  }
  return shorter;
}

function withoutStops(rest: string): string {
  let end = rest.length;
  while (end > 0 && STOPS.includes(rest.charAt(end - 1))) end -= 1;
  return rest.slice(0, end);
}

/** A Hangul word is part of the address, as in a wiki. A particle after Latin letters is not. */
function withoutParticle(rest: string): string {
  const [, before = '', tail = ''] = HANGUL_TAIL.exec(rest) ?? [];
  if (/[a-z0-9)\]}]$/i.test(before)) return isParticle(tail) ? before : rest;
  if (before === '/') return isParticle(tail) ? before : rest;
  return /^[!-~]*\/$/.test(before) && isSurelyParticle(tail) ? before : rest;
}
