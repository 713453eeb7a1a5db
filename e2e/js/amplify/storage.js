// aws-amplify with its storage API, for rpc.js. uploadData and downloadData take {path, file, options}: the
// contents stand in files. In paths {identityId} stands for the caller's.
import { readFile, writeFile } from 'node:fs/promises';
import * as storage from 'aws-amplify/storage';
import { call as callAuth } from './call.js';

// The library reads Blobs as browsers do, and Node.js has not what it takes to do so.
globalThis.FileReader ??= class {
  async readAsArrayBuffer(blob) {
    this.result = await blob.arrayBuffer();
    this.onload();
  }
};

// call answers {value} or {error}. Other functions than those of aws-amplify/storage are call.js's.
export async function call(name, input, ...rest) {
  if (typeof storage[name] !== 'function') return callAuth(name, input, ...rest);
  try {
    return { value: (await (transfers[name] ?? storage[name])(withPaths(input))) ?? null };
  } catch (error) {
    const { name, message } = error;
    return { error: { name, message } };
  }
}

const transfers = {
  async uploadData({ file, ...input }) {
    return storage.uploadData({ ...input, data: await readFile(file) }).result;
  },
  async downloadData({ file, ...input }) {
    const { body, ...result } = await storage.downloadData(input).result;
    await writeFile(file, Buffer.from(await (await body.blob()).arrayBuffer()));
    return result;
  },
};

// withPaths makes functions of the paths of an input, as aws-amplify wants them for {identityId}.
function withPaths(input) {
  const { path, source, destination } = input;
  return {
    ...input,
    ...(path && { path: ({ identityId }) => path.replaceAll('{identityId}', identityId) }),
    ...(source && { source: withPaths(source) }),
    ...(destination && { destination: withPaths(destination) }),
  };
}
