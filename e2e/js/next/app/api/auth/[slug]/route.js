import { amplify } from '../../../../lib/amplify';

export function GET(request, context) {
  const handle = amplify().createAuthRouteHandlers({
    redirectOnSignInComplete: '/',
    redirectOnSignOutComplete: '/',
  });
  return handle(request, context);
}
