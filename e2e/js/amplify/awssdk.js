// The AWS SDK for JavaScript as any Node program uses it, for rpc.js: the name of an operation of
// Cognito's user pools or identity pools, and its input.
import * as identityPools from '@aws-sdk/client-cognito-identity';
import * as userPools from '@aws-sdk/client-cognito-identity-provider';

let clients = [];

// call answers {value} or {error}. The call configure takes the settings of the clients.
export async function call(name, input) {
  try {
    if (name === 'configure') {
      clients = [
        [userPools, new userPools.CognitoIdentityProviderClient(input)],
        [identityPools, new identityPools.CognitoIdentityClient(input)],
      ];
      return { value: null };
    }
    const [sdk, client] = clients.find(([sdk]) => sdk[`${name}Command`]) ?? [];
    if (!client) {
      throw new TypeError(`the clients have no operation ${name}`);
    }
    const { $metadata, ...value } = await client.send(new sdk[`${name}Command`](input));
    return { value };
  } catch (error) {
    const { name, message, constructor, $metadata } = error;
    return { error: { name, message, class: constructor.name, status: $metadata?.httpStatusCode } };
  }
}
