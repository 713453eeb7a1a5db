package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

// visitor is a signed-in user, as the pages address them.
type visitor struct {
	Name string
}

// currentVisitor returns who sent the request, or nil if that person is not signed in.
// The name comes from the ID token that came with the request: no other server is asked.
func currentVisitor(ctx context.Context) (*visitor, error) {
	user, err := auth.GetCurrentUser(ctx)
	if errors.Is(err, amplify.ErrUnauthenticated) {
		return nil, nil // the error would say why
	}
	if err != nil {
		return nil, err
	}
	return &visitor{Name: cmp.Or(user.Name, user.Email, user.Username)}, nil
}
