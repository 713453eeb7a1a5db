// Gets temporary AWS credentials through the AWS SDK for JavaScript, as any Node program would, and answers who
// they belong to on standard output. Arguments: region, endpoint, identity pool id, logins as JSON.
import { CognitoIdentityClient, GetCredentialsForIdentityCommand, GetIdCommand } from '@aws-sdk/client-cognito-identity';

const [region, endpoint, IdentityPoolId, logins] = process.argv.slice(2);
const client = new CognitoIdentityClient({ region, endpoint });
const Logins = JSON.parse(logins);
const { IdentityId } = await client.send(new GetIdCommand({ IdentityPoolId, Logins }));
const { Credentials } = await client.send(new GetCredentialsForIdentityCommand({ IdentityId, Logins }));
console.log(JSON.stringify({
  IdentityId,
  Complete: Boolean(Credentials.AccessKeyId && Credentials.SecretKey && Credentials.SessionToken),
  Expiration: Credentials.Expiration,
}));
