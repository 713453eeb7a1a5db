package main

import (
	"cmp"
	"context"

	"github.com/amplify-go/amplify/auth"
)

// visitor is a signed-in user, as the pages address them.
type visitor struct {
	Name string
}

// currentVisitor returns who sent the request, or nil if that person is not signed in.
// The name comes from the ID token that came with the request: no other server is asked.
func currentVisitor(ctx context.Context) (*visitor, error) {
	session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
	if err != nil {
		return nil, err
	}
	if session.Tokens == nil {
		return nil, nil // session.Unauthenticated would say why
	}
	var claims struct {
		Username string `json:"cognito:username"`
		Name     string `json:"name"`
		Email    string `json:"email"`
	}
	if err := session.Tokens.IDToken.Decode(&claims); err != nil {
		return nil, err
	}
	return &visitor{Name: cmp.Or(claims.Name, claims.Email, claims.Username)}, nil
}
