// A middleware of the form (Request, next) => Response, as edge runtimes have it.
import "./wasm_exec.js"; // it defines Go

// amplifyGate returns a middleware that calls next for requests of signed-in users, and sends
// others to sign in. module is the WebAssembly.Module of this folder's program, outputs the content
// of amplify_outputs.json. fetchKeys(url) resolves to the text of the user pool's key set.
export function amplifyGate({ module, outputs, fetchKeys = fetchText }) {
  let program; // resolves to what main.go exports
  let keys; // resolves once there are keys
  let known; // their text
  let tried = -Infinity;
  let fetched = -Infinity;

  async function start() {
    const go = new Go();
    go.argv = ["edge", outputs.auth.user_pool_id, outputs.auth.user_pool_client_id];
    const instance = await WebAssembly.instantiate(module, go.importObject);
    go.run(instance).finally(() => (program = undefined)); // it ends by a panic only
    const edge = globalThis.amplifyEdge;
    if (known) edge.useKeys(known); // the program before has panicked
    return edge;
  }

  // Tokens can name any key. Whatever they name, keys are fetched once a minute at most, and every
  // five seconds while there are none.
  function renewKeys(edge) {
    const pause = fetched === -Infinity ? 5_000 : 60_000;
    if (Date.now() - tried >= pause) {
      tried = Date.now();
      keys = loadKeys(edge);
    }
    return keys;
  }

  async function loadKeys(edge) {
    try {
      const text = await fetchKeys(edge.keysURL);
      const fault = edge.useKeys(text);
      if (fault) throw new Error(fault);
      known = text;
      fetched = Date.now();
    } catch (error) {
      if (fetched === -Infinity) throw error;
      console.error("amplify: the keys of the user pool cannot be fetched:", error.message);
    }
  }

  return async function middleware(request, next) {
    let answer;
    try {
      const edge = await (program ??= start().catch((error) => {
        program = undefined; // the next request tries again
        throw error;
      }));
      const decide = () =>
        edge.decide(request.method, request.url, request.headers.get("cookie") ?? "");
      if (Date.now() - fetched >= 3_600_000) await renewKeys(edge);
      answer = decide();
      if (answer.reason === "unknown_key") {
        await renewKeys(edge);
        answer = decide();
      }
    } catch (error) {
      console.error("amplify: the session cannot be judged:", error.message);
      answer = { status: 503 };
    }
    if (answer.pass) return next(request);
    const headers = new Headers({ "cache-control": "private, no-store" });
    if (answer.location) headers.set("location", answer.location);
    return new Response(null, { status: answer.status, headers });
  };
}

async function fetchText(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}
