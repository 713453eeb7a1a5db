import { createServerRunner } from '@aws-amplify/adapter-nextjs';

// The backend is read when the first request comes, not when the application is built.
let runner;

export function amplify() {
  runner ??= createServerRunner({
    config: JSON.parse(process.env.AMPLIFY_OUTPUTS),
    runtimeOptions: JSON.parse(process.env.AMPLIFY_RUNTIME_OPTIONS ?? '{}'),
  });
  return runner;
}

// session answers who is signed in, for any server context of Next.js.
// One call of Amplify only: two would refresh twice.
export function session(nextServerContext, options) {
  return amplify().runWithAmplifyServerContext({
    nextServerContext,
    operation: async (contextSpec) => {
      const { fetchAuthSession } = await import('aws-amplify/auth/server');
      const { tokens } = await fetchAuthSession(contextSpec, options);
      if (!tokens?.idToken) return null;
      const { payload } = tokens.idToken;
      return {
        username: payload['cognito:username'],
        sub: payload.sub,
        email: payload.email,
        issuedAt: payload.iat,
        expiresAt: payload.exp,
      };
    },
  });
}
