/**
 * Writes src/client/emoji/emoji.gen.ts: what the emoji picker needs of emojibase's data, in English and Korean. Every
 * build writes it again.
 *
 * The file has columns of lines instead of objects, and only those search words that the name does not have already,
 * since browsers load it.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const read = async (language) =>
  JSON.parse(
    await readFile(createRequire(import.meta.url).resolve(`emojibase-data/${language}/data.json`), 'utf8'),
  );

/** Newer emoji than those of 2023 are empty boxes on many systems. */
const MAX_VERSION = 15.1;
/** Skin tones and hair by themselves. */
const COMPONENTS = 2;
const VARIATION_SELECTOR = '\uFE0F';
const RGI_EMOJI = /^\p{RGI_Emoji}$/v;

/** emojibase adds the variation selector where Unicode's list, which the gateway checks, has none. */
function qualified({ emoji }) {
  const bare = emoji.replaceAll(VARIATION_SELECTOR, '');
  const found = [bare, emoji].find((form) => RGI_EMOJI.test(form));
  if (!found) throw new Error(`not in Unicode's list: ${emoji}`);
  return found;
}

function searchWords({ label, tags = [] }) {
  const name = label.toLowerCase();
  const words = new Set(tags.flatMap((tag) => tag.toLowerCase().split(' ')));
  const added = [...words].filter((word) => !name.includes(word));
  return added.filter((word) => !added.some((other) => other !== word && other.includes(word))).join(' ');
}

const [english, korean] = await Promise.all([read('en'), read('ko')]);
const koreanOf = new Map(korean.map((each) => [each.hexcode, each]));
const isOffered = ({ group, version }) =>
  group !== undefined && group !== COMPONENTS && version <= MAX_VERSION;
const rows = english
  .filter(isOffered)
  .sort((a, b) => a.group - b.group || a.order - b.order)
  .map((each) => {
    const ko = koreanOf.get(each.hexcode);
    return {
      emoji: qualified(each),
      group: String(each.group),
      tones: each.skins ? '1' : '',
      en: each.label,
      enWords: searchWords(each),
      ko: ko.label,
      koWords: searchWords(ko),
    };
  });

const columns = Object.keys(rows[0]).map((name) => {
  const lines = rows.map((row) => row[name]).join('\n');
  return `export const ${name} = ${JSON.stringify(lines)};`;
});
const head = '// Made by scripts/emoji.mjs from emojibase-data. Changes here are lost.\n\n';
await writeFile(
  new URL('../src/client/emoji/emoji.gen.ts', import.meta.url),
  `${head}${columns.join('\n')}\n`,
);
