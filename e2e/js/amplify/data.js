// aws-amplify with its Data client, for rpc.js. Answers are {data, errors, nextToken}, as the client gives them.
import { Amplify } from 'aws-amplify';
import { decodeJWT } from 'aws-amplify/auth';
import { generateClient } from 'aws-amplify/data';
import { call as callAuth } from './call.js';

// call answers {value} or {error}. Other functions than those below are call.js's.
export async function call(name, ...args) {
  if (name === 'configureTokens') return configureTokens(...args);
  if (!Object.hasOwn(functions, name)) return callAuth(name, ...args);
  try {
    return { value: answer(await functions[name](generateClient(), ...args)) };
  } catch (error) {
    // client.graphql throws the whole answer if it has errors.
    if (error.errors) return { value: answer(error) };
    const { name, message } = error;
    return { error: { name, message } };
  }
}

const functions = {
  graphql: (client, options) => client.graphql(options),
  // A function of a model, such as ('Note', 'create', {text: 'x'}).
  model: (client, model, operation, ...args) => client.models[model][operation](...args),
  // What an item's function for a relation gives.
  related: async (client, model, key, field, options) => (await client.models[model].get(key, options)).data[field](options),
  query: (client, name, ...args) => client.queries[name](...args),
  mutation: (client, name, ...args) => client.mutations[name](...args),
};

// configureTokens configures aws-amplify for the users of another provider than a user pool.
function configureTokens(config, token) {
  const getTokens = async () => ({ accessToken: decodeJWT(token) });
  Amplify.configure(config, { Auth: { tokenProvider: { getTokens } } });
  return { value: null };
}

// answer leaves out what is no JSON: an item's functions.
function answer({ data, errors, nextToken }) {
  return { data: data ?? null, errors: errors ?? [], nextToken: nextToken ?? '' };
}
