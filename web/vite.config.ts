/* SPDX-License-Identifier: MIT */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

// Bytes, compressed: what a browser fetches for the first view, and all files in the program.
const FIRST_LIMIT = 75 * 1024;
const TOTAL_LIMIT = 160 * 1024;

const dist = fileURLToPath(new URL('dist', import.meta.url));

// Writes a .gz beside a file that becomes smaller by it, which the program then embeds and serves.
// Returns the size of what is served.
function compressFile(file: string): number {
  const bytes = readFileSync(file);
  const packed = gzipSync(bytes, { level: 9 });
  if (bytes.length <= 1400 || packed.length >= bytes.length) return bytes.length;
  writeFileSync(`${file}.gz`, packed);
  return packed.length;
}

function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    closeBundle() {
      const html = readFileSync(join(dist, 'index.html'), 'utf8');
      let first = 0;
      let total = 0;
      for (const name of readdirSync(dist, { recursive: true }) as string[]) {
        const file = join(dist, name);
        if (!statSync(file).isFile()) continue;
        const size = compressFile(file);
        total += size;
        if (name === 'index.html' || html.includes(`"/${name}"`)) first += size;
      }
      console.log(`compressed: first view ${first} bytes, all files ${total} bytes`);
      if (first > FIRST_LIMIT) throw new Error(`the first view has more than ${FIRST_LIMIT} bytes`);
      if (total > TOTAL_LIMIT) throw new Error(`the page has more than ${TOTAL_LIMIT} bytes`);
    },
  };
}

// The licences of the libraries that became part of the page, as one file.
function licenses(): Plugin {
  return {
    name: 'licenses',
    apply: 'build',
    generateBundle(_, bundle) {
      const packages = new Set<string>();
      for (const file of Object.values(bundle)) {
        for (const id of file.type === 'chunk' ? file.moduleIds : []) {
          const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1];
          if (name) packages.add(name);
        }
      }
      const texts = [...packages].sort().map(licenseOf);
      this.emitFile({ type: 'asset', fileName: 'assets/licenses.txt', source: texts.join('\n') });
    },
  };
}

function licenseOf(name: string): string {
  const folder = fileURLToPath(new URL(`node_modules/${name}`, import.meta.url));
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((f) => /^licen[cs]e(\.\w+)?$/i.test(f));
  if (!file) throw new Error(`${name} has no licence file`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `==== ${name} ${version} ====\n\n${text}\n`;
}

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [licenses(), compress()],
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:1234',
      '/v1': 'http://127.0.0.1:1234',
      '/lms-status': 'http://127.0.0.1:1234',
    },
  },
});
