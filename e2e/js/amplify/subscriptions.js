// aws-amplify with subscriptions, for rpc.js. Functions of the Data client are called by names such as
// models.Studio.create, with their arguments.
import { Hub } from 'aws-amplify/utils';
import { generateClient } from 'aws-amplify/data';
import { call as callAuth } from './call.js';

let client;
const subscriptions = {};

// call answers {value} or {error}. Other functions than those of the client are call.js's.
export async function call(name, ...args) {
  try {
    if (commands[name]) return { value: plain(await commands[name](...args)) };
    if (!name.startsWith('models.')) {
      const answer = await callAuth(name, ...args);
      if (name === 'configure') client = generateClient();
      return answer;
    }
    return { value: plain(await method(name)(...args)) };
  } catch (error) {
    const { name: kind, message } = error;
    return { error: { name: kind, message } };
  }
}

const commands = {
  // subscribe resolves once the subscription is acknowledged, or rejects.
  subscribe: (id, name, options) => new Promise((resolve, reject) => {
    const came = [];
    const waiting = [];
    const stop = Hub.listen('api', ({ payload }) => {
      if (payload.event !== 'Subscription ack') return;
      stop();
      resolve(null);
    });
    const subscription = method(name)(options ?? undefined).subscribe({
      next: (value) => (waiting.length ? waiting.shift()(value) : came.push(value)),
      error: (error) => reject(new Error(error.errors?.[0]?.message ?? error.message)),
    });
    subscriptions[id] = {
      end: () => subscription.unsubscribe(),
      next: () => (came.length ? came.shift() : new Promise((done) => waiting.push(done))),
    };
  }),
  // next resolves to what a subscription gives next.
  next: (id) => subscriptions[id].next(),
  unsubscribe: (id) => subscriptions[id].end(),
};

function method(name) {
  const [, model, operation] = name.split('.');
  return client.models[model][operation];
}

// plain leaves out the functions of records, which load what is related.
function plain(value) {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}
