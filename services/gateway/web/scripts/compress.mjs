/**
 * Writes compressed copies of the built files. The gateway sends them to browsers that accept them, without
 * compressing on each request.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const client = fileURLToPath(new URL('../../src/gateway/client', import.meta.url));

for (const folder of [client, join(client, 'assets')]) {
  for (const name of await readdir(folder)) {
    if (!/\.(js|css|svg)$/.test(name)) continue;
    const body = await readFile(join(folder, name));
    await writeFile(join(folder, `${name}.gz`), gzipSync(body, { level: 9 }));
    await writeFile(join(folder, `${name}.br`), brotliCompressSync(body));
  }
}
