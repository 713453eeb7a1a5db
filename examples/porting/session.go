package porting

import (
	"context"
	"net/http"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

// isSignedIn must be called before anything is written to w, which may get refreshed cookies.
func isSignedIn(runner *amplifyhttp.ServerRunner,
	w http.ResponseWriter, r *http.Request) (bool, error) {
	return amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadWrite(w, r),
		func(ctx context.Context) (bool, error) {
			session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
			if err != nil {
				return false, err // it cannot be told at the moment
			}
			return session.Tokens != nil, nil
		})
}
