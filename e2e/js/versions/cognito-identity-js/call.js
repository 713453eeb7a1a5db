// What call.js of ../../amplify is to aws-amplify 6, for amazon-cognito-identity-js: the names,
// arguments and results are those of aws-amplify, as far as the tests need them.
import { AuthenticationDetails, CognitoUser, CognitoUserPool, CookieStorage } from 'amazon-cognito-identity-js';

let pool, storage;

// On http://localhost. Elsewhere cookies should be secure, which is the default.
const cookies = { secure: false, sameSite: 'lax' };

// promise makes a promise of a method that takes a callback.
const promise = (object, method, ...args) => new Promise((resolve, reject) => {
  object[method](...args, (error, result) => (error ? reject(error) : resolve(result)));
});

async function current() {
  const user = pool.getCurrentUser();
  if (!user) throw Object.assign(new Error('nobody is signed in'), { code: 'UserUnAuthenticatedException' });
  return { user, session: await promise(user, 'getSession') };
}

const functions = {
  configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } }) {
    storage = new CookieStorage(cookies);
    pool = new CognitoUserPool({ UserPoolId: userPoolId, ClientId: userPoolClientId, endpoint: userPoolEndpoint, Storage: storage });
  },

  signIn({ username, password, options }) {
    const user = new CognitoUser({ Username: username, Pool: pool, Storage: storage });
    if (options?.authFlowType) user.setAuthenticationFlowType(options.authFlowType);
    return new Promise((resolve, reject) => {
      user.authenticateUser(new AuthenticationDetails({ Username: username, Password: password }), {
        onSuccess: () => resolve({ nextStep: { signInStep: 'DONE' } }),
        onFailure: reject,
      });
    });
  },

  async getCurrentUser() {
    const { user, session } = await current();
    return { username: user.getUsername(), userId: session.getIdToken().decodePayload().sub };
  },

  async fetchUserAttributes() {
    const attributes = await promise((await current()).user, 'getUserAttributes');
    return Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value]));
  },

  async fetchAuthSession({ forceRefresh }) {
    let { user, session } = await current();
    if (forceRefresh) session = await promise(user, 'refreshSession', session.getRefreshToken());
    const token = (t) => ({ payload: t.decodePayload(), text: t.getJwtToken() });
    return {
      userSub: session.getIdToken().decodePayload().sub,
      tokens: { accessToken: token(session.getAccessToken()), idToken: token(session.getIdToken()) },
    };
  },

  async signOut({ global } = {}) {
    const { user } = await current();
    await new Promise((resolve, reject) => {
      if (global) user.globalSignOut({ onSuccess: resolve, onFailure: reject });
      else user.signOut((error) => (error ? reject(error) : resolve()));
    });
  },
};

export async function call(name, ...args) {
  try {
    return { value: (await functions[name](...args)) ?? null };
  } catch (error) {
    return { error: { name: error.code ?? error.name, message: error.message } };
  }
}
