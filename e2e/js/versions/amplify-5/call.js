// What call.js of ../../amplify is to aws-amplify 6, for aws-amplify 5: the names, arguments and
// results are those of version 6, as far as the tests need them.
import { Amplify, Auth } from 'aws-amplify';

const functions = {
  configure({ Auth: { Cognito: { userPoolId, userPoolClientId, userPoolEndpoint } } }, { ssr }) {
    Amplify.configure({
      ssr,
      Auth: {
        region: userPoolId.split('_')[0],
        userPoolId,
        userPoolWebClientId: userPoolClientId,
        endpoint: userPoolEndpoint,
      },
    });
  },

  async signIn({ username, password }) {
    const user = await Auth.signIn(username, password);
    return { nextStep: { signInStep: user.challengeName ?? 'DONE' } };
  },

  async getCurrentUser() {
    const user = await Auth.currentAuthenticatedUser();
    return { username: user.getUsername(), userId: user.attributes.sub };
  },

  async fetchUserAttributes() {
    const attributes = await Auth.userAttributes(await Auth.currentUserPoolUser());
    return Object.fromEntries(attributes.map(({ Name, Value }) => [Name, Value]));
  },

  async fetchAuthSession({ forceRefresh }) {
    let session = await Auth.currentSession();
    if (forceRefresh) {
      const user = await Auth.currentUserPoolUser();
      session = await new Promise((resolve, reject) => {
        user.refreshSession(session.getRefreshToken(), (error, result) => (error ? reject(error) : resolve(result)));
      });
    }
    const token = (t) => ({ payload: t.decodePayload(), text: t.getJwtToken() });
    return {
      userSub: session.getIdToken().decodePayload().sub,
      tokens: { accessToken: token(session.getAccessToken()), idToken: token(session.getIdToken()) },
    };
  },

  async signOut(options) {
    await Auth.signOut(options);
  },
};

export async function call(name, ...args) {
  try {
    return { value: (await functions[name](...args)) ?? null };
  } catch (error) {
    // Where nobody is signed in, version 5 throws a text.
    if (error === 'The user is not authenticated') error = { name: 'UserUnAuthenticatedException', message: error };
    return { error: { name: error.code ?? error.name, message: error.message ?? String(error) } };
  }
}
