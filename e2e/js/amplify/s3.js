// The AWS SDK for JavaScript's S3 as any Node program uses it, for rpc.js: the name of an operation of
// S3, or of a function below, and its input. Bodies stand in files: `file` names the one that is sent or
// written. The SDK dials AWS's host names.
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import * as identityPools from '@aws-sdk/client-cognito-identity';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

let client;

// call answers {value} or {error}.
export async function call(name, input) {
  try {
    return { value: (await (functions[name] ?? send)(input, name)) ?? null };
  } catch (error) {
    const { name, message, constructor, $metadata } = error;
    return { error: { name, message, class: constructor.name, status: $metadata?.httpStatusCode } };
  }
}

async function send({ file, ...input }, name) {
  const sends = file && /^(Put|UploadPart)/.test(name);
  const command = new s3[`${name}Command`]({ ...input, ...(sends && { Body: await readFile(file) }) });
  const { $metadata, Body, ...value } = await client.send(command);
  if (Body) await writeFile(file, await Body.transformToByteArray());
  return value;
}

const functions = {
  // signIn takes the credentials that the identity pool has for logins, and gives the identity's id.
  async signIn({ region, identityPoolId, logins }) {
    const pool = new identityPools.CognitoIdentityClient({ region });
    const { IdentityId } = await pool.send(
      new identityPools.GetIdCommand({ IdentityPoolId: identityPoolId, Logins: logins }),
    );
    const { Credentials: c } = await pool.send(
      new identityPools.GetCredentialsForIdentityCommand({ IdentityId, Logins: logins }),
    );
    const credentials = {
      accessKeyId: c.AccessKeyId,
      secretAccessKey: c.SecretKey,
      sessionToken: c.SessionToken,
    };
    client = new s3.S3Client({ region, credentials });
    return IdentityId;
  },
  // upload sends a file as a stream, in parts.
  async upload({ file, ...params }) {
    const upload = new Upload({ client, params: { ...params, Body: createReadStream(file) } });
    const progress = [];
    upload.on('httpUploadProgress', ({ loaded }) => progress.push(loaded));
    const { ETag } = await upload.done();
    return { ETag, progress };
  },
  // keys lists all keys with a prefix, page by page, and tells how many pages there were.
  async keys(input) {
    const keys = [];
    let pages = 0;
    for await (const { Contents } of s3.paginateListObjectsV2({ client }, input)) {
      pages++;
      keys.push(...(Contents ?? []).map(({ Key }) => Key));
    }
    return { keys, pages };
  },
  // presigned makes a request by the URL of an operation, with nothing else but the body.
  async presigned({ operation, file, ...input }) {
    const url = await getSignedUrl(client, new s3[`${operation}Command`](input), { expiresIn: 60 });
    const sends = operation === 'PutObject';
    const response = await fetch(url, sends ? { method: 'PUT', body: await readFile(file) } : {});
    const body = Buffer.from(await response.arrayBuffer());
    if (!sends && response.ok) await writeFile(file, body);
    return response.status;
  },
};
