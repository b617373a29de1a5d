/* SPDX-License-Identifier: MIT */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const LIMIT = 150 * 1024; // of everything a browser fetches

// A .gz beside each file that gains by it; the program embeds and serves those.
function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    closeBundle() {
      const dist = fileURLToPath(new URL('dist', import.meta.url));
      let total = 0;
      for (const name of readdirSync(dist, { recursive: true }) as string[]) {
        const file = join(dist, name);
        if (!statSync(file).isFile()) continue;
        const bytes = readFileSync(file);
        const packed = gzipSync(bytes, { level: 9 });
        const gains = bytes.length > 1400 && packed.length < bytes.length;
        if (gains) writeFileSync(`${file}.gz`, packed);
        total += gains ? packed.length : bytes.length;
      }
      if (total > LIMIT)
        throw new Error(`the page is ${total} bytes compressed; the limit is ${LIMIT}`);
    },
  };
}

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { output: { manualChunks: undefined } },
  },
  plugins: [compress()],
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:1234',
      '/v1': 'http://127.0.0.1:1234',
      '/lms-status': 'http://127.0.0.1:1234',
    },
  },
});
