// A relying party on openid-client, for rpc.js. It keeps of one sign-in what the callback needs.
import * as client from 'openid-client';

let configuration;
let checks;

const functions = {
  // configure discovers the provider. Without a secret the client is public.
  async configure({ issuer, clientId, clientSecret }) {
    const authentication = clientSecret ? client.ClientSecretBasic(clientSecret) : client.None();
    configuration = await client.discovery(new URL(issuer), clientId, undefined, authentication);
    client.enableNonRepudiationChecks(configuration); // look at the signatures of ID tokens
    return configuration.serverMetadata();
  },

  // authorize returns the address at which the user signs in.
  async authorize(parameters) {
    checks = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
    };
    return client.buildAuthorizationUrl(configuration, {
      ...parameters,
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: checks.expectedState,
      nonce: checks.expectedNonce,
    }).href;
  },

  // callback redeems the code in the address that the user came back to.
  async callback(address) {
    return withClaims(await client.authorizationCodeGrant(configuration, new URL(address), checks));
  },
  async refresh(refreshToken) {
    return withClaims(await client.refreshTokenGrant(configuration, refreshToken));
  },
  clientCredentials: (parameters) => client.clientCredentialsGrant(configuration, parameters),
  userInfo: (accessToken, subject) => client.fetchUserInfo(configuration, accessToken, subject),
  revoke: (token) => client.tokenRevocation(configuration, token),
  // endSession returns the address at which the user signs out.
  endSession: (parameters) => client.buildEndSessionUrl(configuration, parameters).href,
};

const withClaims = (tokens) => ({ ...tokens, claims: tokens.claims() });

// call answers {value} or {error}. What OAuth says of an error is its name and message.
export async function call(name, ...args) {
  try {
    return { value: (await functions[name](...args)) ?? null };
  } catch (error) {
    const { name, message, constructor, status } = error;
    const said = error.error ? error : { ...error.cause?.[0]?.parameters };
    return {
      error: {
        name: said.error ?? name, message: said.error_description ?? message,
        class: constructor.name, status,
      },
    };
  }
}
