export interface ElfContent {
  /** ELF's number of the machine; 62 is x86-64. */
  readonly machine?: number;
  readonly needed?: readonly string[];
  /** Colon-separated, as it is written into the file. */
  readonly runpath?: string;
  /** Versions of symbols that are asked of libc.so.6, for example GLIBC_2.17. */
  readonly versions?: readonly string[];
}

const headerBytes = 64;
const programHeaders = 2;
const programHeaderBytes = 56;
const sectionHeaderBytes = 64;

/** The smallest shared object that says what it needs: no compiler has to be there, and it is never loaded. */
export function makeElf(content: ElfContent): Buffer {
  const { machine = 62, needed = [], runpath, versions = [] } = content;
  const strings = new Strings();
  const dynamic = [
    ...needed.map((library) => [1, strings.add(library)]),
    ...(runpath === undefined ? [] : [[29, strings.add(runpath)]]),
    [0, 0],
  ];
  const needs = versionNeeds(versions, strings);
  const names = new Strings();
  const sections = [
    { name: '', type: 0, data: Buffer.alloc(0), link: 0, info: 0 },
    { name: '.dynstr', type: 3, data: strings.bytes(), link: 0, info: 0 },
    { name: '.gnu.version_r', type: 0x6ffffffe, data: needs, link: 1, info: versions.length > 0 ? 1 : 0 },
    { name: '.dynamic', type: 6, data: words(dynamic.flat()), link: 1, info: 0 },
  ].map((section) => ({ ...section, nameAt: names.add(section.name) }));
  const namesAt = names.add('.shstrtab');
  sections.push({ name: '.shstrtab', nameAt: namesAt, type: 3, data: names.bytes(), link: 0, info: 0 });

  let at = headerBytes + programHeaders * programHeaderBytes;
  const placed = sections.map((section) => {
    const offset = at;
    at += Math.ceil(section.data.length / 8) * 8;
    return { ...section, offset };
  });
  const file = Buffer.alloc(at + placed.length * sectionHeaderBytes);
  writeHeader(file, machine, at, placed.length);
  const segment = placed.find(({ name }) => name === '.dynamic');
  writeProgramHeader(file, 0, { type: 1, offset: 0, size: at });
  writeProgramHeader(file, 1, { type: 2, offset: segment?.offset ?? 0, size: segment?.data.length ?? 0 });
  placed.forEach((section, index) => {
    section.data.copy(file, section.offset);
    const header = at + index * sectionHeaderBytes;
    file.writeUInt32LE(section.nameAt, header);
    file.writeUInt32LE(section.type, header + 4);
    file.writeBigUInt64LE(BigInt(section.offset), header + 16);
    file.writeBigUInt64LE(BigInt(section.offset), header + 24);
    file.writeBigUInt64LE(BigInt(section.data.length), header + 32);
    file.writeUInt32LE(section.link, header + 40);
    file.writeUInt32LE(section.info, header + 44);
    file.writeBigUInt64LE(section.type === 6 ? 16n : 0n, header + 56);
  });
  return file;
}

function writeHeader(file: Buffer, machine: number, sectionsAt: number, sectionCount: number): void {
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(file);
  file.writeUInt16LE(3, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(headerBytes), 32);
  file.writeBigUInt64LE(BigInt(sectionsAt), 40);
  file.writeUInt16LE(headerBytes, 52);
  file.writeUInt16LE(programHeaderBytes, 54);
  file.writeUInt16LE(programHeaders, 56);
  file.writeUInt16LE(sectionHeaderBytes, 58);
  file.writeUInt16LE(sectionCount, 60);
  file.writeUInt16LE(sectionCount - 1, 62);
}

function writeProgramHeader(
  file: Buffer,
  index: number,
  { type, offset, size }: { type: number; offset: number; size: number },
): void {
  const at = headerBytes + index * programHeaderBytes;
  file.writeUInt32LE(type, at);
  for (const place of [8, 16, 24]) file.writeBigUInt64LE(BigInt(offset), at + place);
  for (const place of [32, 40]) file.writeBigUInt64LE(BigInt(size), at + place);
}

function versionNeeds(versions: readonly string[], strings: Strings): Buffer {
  if (versions.length === 0) return Buffer.alloc(0);
  const needs = Buffer.alloc(16 + versions.length * 16);
  needs.writeUInt16LE(1, 0);
  needs.writeUInt16LE(versions.length, 2);
  needs.writeUInt32LE(strings.add('libc.so.6'), 4);
  needs.writeUInt32LE(16, 8);
  versions.forEach((version, index) => {
    const at = 16 + index * 16;
    needs.writeUInt32LE(strings.add(version), at + 8);
    needs.writeUInt32LE(index + 1 < versions.length ? 16 : 0, at + 12);
  });
  return needs;
}

function words(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 8);
  numbers.forEach((number, index) => bytes.writeBigUInt64LE(BigInt(number), index * 8));
  return bytes;
}

class Strings {
  #text = '\0';

  /** Its offset. */
  add(text: string): number {
    const at = this.#text.length;
    this.#text += `${text}\0`;
    return at;
  }

  bytes(): Buffer {
    return Buffer.from(this.#text, 'latin1');
  }
}
