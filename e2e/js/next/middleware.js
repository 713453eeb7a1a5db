import { NextResponse } from 'next/server';
import { session } from './lib/amplify';

// As the Amplify documentation shows it: expired tokens are refreshed on the way through.
export async function middleware(request) {
  const response = NextResponse.next();
  const user = await session({ request, response }).catch(() => null);
  return user ? response : NextResponse.redirect(new URL('/', request.url));
}

export const config = { matcher: '/protected' };
