// SPDX-License-Identifier: MIT
// Mesa's llvmpipe, a Vulkan driver that needs no card, as the graphics card of a daemon.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build, sanitized } from './programs.js';

export const engines = path.join(build, 'deps/engines');
const icd = '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json';
const missing = !fs.existsSync(path.join(engines, 'vulkan')) || !fs.existsSync(icd);

// LLVM and Mesa leak; the sanitizers watch ours, which is the same on the CPU.
export const skip = sanitized || process.arch !== 'x64' ? 'x86-64 without sanitizers'
  : missing && !process.env.CI ? 'no engine or no llvmpipe: setup/all.sh test' : false;

// llvmpipe compiles for seconds what it has not compiled before. That is kept for a fresh clone,
// too, as the compiler's results are; a worker must not make the folder itself.
const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
const shaders = path.join(cache, 'doze/shaders');
if (!skip) fs.mkdirSync(shaders, { recursive: true });
export const env = { DOZE_ENGINES_DIR: engines, GGML_VK_VISIBLE_DEVICES: '0',
  VK_ICD_FILENAMES: icd, MESA_SHADER_CACHE_DIR: shaders };
