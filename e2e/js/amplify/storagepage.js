// The bundle of a page that uses aws-amplify's storage API: as page.js, with two functions more. Contents
// do not travel with the calls: upload makes them, byte i is i % 251, and download tells their SHA-256.
import { Amplify } from 'aws-amplify';
import { downloadData, uploadData } from 'aws-amplify/storage';
import { call as callAuth } from './call.js';

const functions = {
  async upload(path, size) {
    const data = new Blob([Uint8Array.from({ length: size }, (_, i) => i % 251)]);
    const progress = [];
    const options = { contentType: 'application/x-test', onProgress: (p) => progress.push(p) };
    const { eTag } = await uploadData({ path, data, options }).result;
    return { eTag, progress };
  },
  async download(path) {
    const progress = [];
    const { body } = await downloadData({ path, options: { onProgress: (p) => progress.push(p) } }).result;
    const sum = await crypto.subtle.digest('SHA-256', await (await body.blob()).arrayBuffer());
    return { sum: hex(new Uint8Array(sum)), progress };
  },
};

const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

async function call(name, ...args) {
  if (!functions[name]) return callAuth(name, ...args);
  try {
    return { value: await functions[name](...args) };
  } catch ({ name, message }) {
    return { error: { name, message } };
  }
}

window.amplify = { call };

const { config, options } = JSON.parse(document.getElementById('amplify-configuration').textContent);
Amplify.configure(config, options);
