// Reads calls from standard input, a JSON line [name, ...arguments] each, makes them one after the other,
// and answers each with a JSON line on standard output. Ends when standard input does.
// The argument is the module whose function call makes the calls, such as ./call.js.
import { createInterface } from 'node:readline';

const { call } = await import(process.argv[2]);

// What libraries print must not come between the answers.
console.log = console.info = console.debug = console.error;

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await call(...JSON.parse(line)))}\n`);
}

// A library's timers must not keep the process.
process.exit();
