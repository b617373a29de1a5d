/* SPDX-License-Identifier: MIT */
// GGUF files changed byte by byte: another value of a number, a file in several parts.
import fs from 'node:fs';
import path from 'node:path';

const ALIGNMENT = 32;
const [U16, U32, STRING, ARRAY] = [2, 4, 8, 9];
const sizes = [1, 1, 2, 2, 4, 4, 4, 1, , , 8, 8, 8]; // of the types of values, by number

const aligned = (n) => Math.ceil(n / ALIGNMENT) * ALIGNMENT;

class Reader {
  constructor(bytes) { this.bytes = bytes; this.at = 0; }

  u32() { this.at += 4; return this.bytes.readUInt32LE(this.at - 4); }

  u64() { this.at += 8; return Number(this.bytes.readBigUInt64LE(this.at - 8)); }

  string() {
    const length = this.u64();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  skip(type) {
    if (type === STRING) this.string();
    else if (type === ARRAY) for (let [of, n] = [this.u32(), this.u64()]; n > 0; n--) this.skip(of);
    else this.at += sizes[type];
  }
}

// Where the parts of the file are.
function parse(bytes) {
  const reader = new Reader(bytes);
  reader.at = 8; // magic, version
  const [tensors, pairs] = [reader.u64(), reader.u64()];
  const begin = reader.at, values = new Map();
  for (let i = 0; i < pairs; i++) {
    const key = reader.string(), type = reader.u32();
    values.set(key, { type, at: reader.at });
    reader.skip(type);
  }
  const end = reader.at, infos = [];
  for (let i = 0; i < tensors; i++) {
    const from = reader.at;
    reader.string();
    const dimensions = reader.u32();
    reader.at += 8 * dimensions + 4;
    infos.push({ info: bytes.subarray(from, reader.at), offset: reader.u64() });
  }
  return { values, pairs, meta: bytes.subarray(begin, end), infos,
    data: bytes.subarray(aligned(reader.at)) };
}

// A copy of the file with another value of a 32-bit number that it has.
export function withNumber(file, copy, key, value) {
  const bytes = fs.readFileSync(file);
  const { type, at } = parse(bytes).values.get(key) ?? {};
  if (type !== U32) throw new Error(`${file} has no such number: ${key}`);
  bytes.writeUInt32LE(value, at);
  fs.writeFileSync(copy, bytes);
  return copy;
}

const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const string = (text) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
const pair16 = (key, n) => {
  const value = Buffer.alloc(2);
  value.writeUInt16LE(n);
  return Buffer.concat([string(key), u32(U16), value]);
};
const pair32 = (key, n) => Buffer.concat([string(key), u32(5), u32(n)]);

// The file as a set of parts in the folder, as llama-gguf-split makes it: the first one has what
// is said of the model. The paths.
export function splitInto(file, folder, stem, parts) {
  const { pairs, meta, infos, data } = parse(fs.readFileSync(file));
  const ends = infos.map(({ offset }) => offset).sort((a, b) => a - b);
  const bytesOf = ({ offset }) =>
    data.subarray(offset, ends.find((end) => end > offset) ?? data.length);
  const share = Math.ceil(infos.length / parts);
  return Array.from({ length: parts }, (_, i) => {
    const own = infos.slice(i * share, (i + 1) * share), bodies = [];
    let offset = 0;
    const index = own.map((tensor) => {
      const body = bytesOf(tensor), at = offset;
      bodies.push(body, Buffer.alloc(aligned(body.length) - body.length));
      offset += aligned(body.length);
      return Buffer.concat([tensor.info, u64(at)]);
    });
    const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(own.length),
      u64(3 + (i === 0 ? pairs : 0)), i === 0 ? meta : Buffer.alloc(0), pair16('split.no', i),
      pair16('split.count', parts), pair32('split.tensors.count', infos.length), ...index]);
    const five = (n) => String(n).padStart(5, '0');
    const part = path.join(folder, `${stem}-${five(i + 1)}-of-${five(parts)}.gguf`);
    fs.writeFileSync(part,
      Buffer.concat([head, Buffer.alloc(aligned(head.length) - head.length), ...bodies]));
    return part;
  });
}
