// Runs a program under MicroPython and talks with the host, one JSON line each way.
//
// First line in: {files: {path: base64}, flash: {name: hex}, start: {...}, program, after: [...]}. Then every line out is answered by one
// line in. Lines out that begin with "#" are what the program printed. A life ends with {"end": ...}, its flash added.
import fs from "node:fs";
import path from "node:path";
import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";

const INPUT = 0;
const OUTPUT = 1;
const FLASH_FILE = /^[a-z_]+(\.new|\.bad)?$/;
const MODEL = path.dirname(new URL(import.meta.url).pathname);

let pending = Buffer.alloc(0);

function readLine() {
  const piece = Buffer.alloc(65536);
  for (;;) {
    const end = pending.indexOf(10);
    if (end >= 0) {
      const line = pending.subarray(0, end).toString();
      pending = pending.subarray(end + 1);
      return line;
    }
    const count = fs.readSync(INPUT, piece, 0, piece.length, null);
    if (count === 0) process.exit(0);
    pending = Buffer.concat([pending, piece.subarray(0, count)]);
  }
}

function writeLine(line) {
  fs.writeSync(OUTPUT, line + "\n");
}

function exchange(line) {
  writeLine(line);
  return readLine();
}

const told = JSON.parse(readLine());
const python = await loadMicroPython({
  heapsize: told.heap_bytes,
  linebuffer: true,
  stdout: (line) => writeLine("#" + line),
});

function put(name, data) {
  let folder = "";
  for (const part of name.split("/").slice(1, -1)) {
    folder += "/" + part;
    if (!python.FS.analyzePath(folder).exists) python.FS.mkdir(folder);
  }
  python.FS.writeFile(name, data);
}

function flash() {
  const names = python.FS.readdir("/").filter((name) => FLASH_FILE.test(name));
  const files = names.filter((name) => python.FS.isFile(python.FS.stat("/" + name).mode));
  return Object.fromEntries(files.map((name) => [name, Buffer.from(python.FS.readFile("/" + name)).toString("hex")]));
}

python.registerJsModule("bridge", {
  exchange,
  end: (line) => {
    writeLine(JSON.stringify({ ...JSON.parse(line), flash: flash() }));
    process.exit(0);
  },
});
for (const name of ["machine.py", "time.py"]) put("/model/" + name, fs.readFileSync(path.join(MODEL, name)));
for (const [name, data] of Object.entries(told.files)) put(name, Buffer.from(data, "base64"));
for (const [name, data] of Object.entries(told.flash)) put("/" + name, Buffer.from(data, "hex"));
python.FS.chdir("/");
python.runPython(`
import sys
sys.path.insert(0, "/model")
import machine, os
os.urandom = machine.urandom
machine.processor.begin(${JSON.stringify(JSON.stringify(told.start))})
`);
python.runPython(told.program);
// Garbage is only collected between programs: whoever measures memory runs several.
for (const program of told.after) python.runPython(program);
writeLine(JSON.stringify({ end: "returned", at_us: 0, flash: flash() }));
