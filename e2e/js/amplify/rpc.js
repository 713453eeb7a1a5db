// Reads calls from standard input, a JSON line [name, ...arguments] each, makes them one after the other,
// and answers each with a JSON line on standard output. Ends when standard input does.
import { createInterface } from 'node:readline';
import { call } from './call.js';

// What libraries print must not come between the answers.
console.log = console.info = console.debug = console.error;

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await call(...JSON.parse(line)))}\n`);
}
