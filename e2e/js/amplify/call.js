// One way to call aws-amplify from outside JavaScript, for Node (rpc.js) and for a page (page.js):
// the name of a function of aws-amplify/auth, and its arguments as JSON.
import { Amplify } from 'aws-amplify';
import * as auth from 'aws-amplify/auth';

// call answers {value} or {error}; it never throws.
export async function call(name, ...args) {
  try {
    if (name === 'configure') {
      Amplify.configure(...args);
      return { value: null };
    }
    if (typeof auth[name] !== 'function') {
      throw new TypeError(`aws-amplify/auth has no function ${name}`);
    }
    return { value: plain(await auth[name](...args)) };
  } catch (error) {
    return { error: describe(error) };
  }
}

// plain makes JSON of a result. A token is an object whose text only toString gives.
function plain(value) {
  if (value === null || typeof value !== 'object') return value ?? null;
  if (value instanceof Date) return value.toJSON();
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value).filter(([, v]) => typeof v !== 'function').map(([k, v]) => [k, plain(v)]);
  if (value.payload && Object.hasOwn(value, 'toString')) entries.push(['text', value.toString()]);
  return Object.fromEntries(entries);
}

function describe(error) {
  const { name, message, underlyingError } = error;
  return { name, message, ...(underlyingError && { underlying: String(underlyingError) }) };
}
