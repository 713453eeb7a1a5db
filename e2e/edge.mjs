// Calls the middleware of examples/edge. It reads {outputs, keys, requests} from standard input and
// prints {answers, fetches, milliseconds} as JSON. keys are what the address of the keys answers,
// one time after the other; null is no answer.
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { amplifyGate } from "./middleware.mjs";

const print = console.log;
console.log = console.error; // what a program says when it panics is no result

const { outputs, keys, requests } = JSON.parse(await text(process.stdin));
const file = await readFile(new URL("program.wasm", import.meta.url));
let fetches = [];
const fetchKeys = async (url) => {
  fetches.push(url);
  const answer = keys.length > 1 ? keys.shift() : keys[0];
  if (answer === null) throw new Error("no answer");
  return JSON.stringify(answer);
};

const milliseconds = {};
async function timed(name, operation) {
  const start = performance.now();
  const result = await operation();
  milliseconds[name] = performance.now() - start;
  return result;
}

const module = await timed("compile", () => WebAssembly.compile(file));
const middleware = amplifyGate({ module, outputs, fetchKeys });
const next = (request) => new Response("the page " + new URL(request.url).pathname);

async function answer({ url, method = "GET", cookie, crash, busy }) {
  const { instantiate } = WebAssembly;
  if (busy) WebAssembly.instantiate = () => Promise.reject(new Error("no memory"));
  if (crash) {
    try {
      globalThis.amplifyEdge.decide(); // without arguments the program panics
    } catch {}
    await new Promise(setImmediate); // it ends
  }
  const headers = cookie === undefined ? {} : { cookie };
  const response = await middleware(new Request(url, { method, headers }), next);
  WebAssembly.instantiate = instantiate;
  return {
    status: response.status,
    location: response.headers.get("location") ?? "",
    cache: response.headers.get("cache-control") ?? "",
    body: await response.text(),
  };
}

// The first come at once: they wait for one program and one fetch of the keys.
const answers = await timed("first", () => Promise.all(requests.slice(0, 2).map(answer)));
for (const request of requests.slice(2)) answers.push(await answer(request));
const warm = 20;
await timed("warm", async () => {
  for (let i = 0; i < warm; i++) await answer(requests[0]);
});
milliseconds.warm /= warm;
print(JSON.stringify({ answers, fetches, milliseconds }));
process.exit(0); // the program never ends
