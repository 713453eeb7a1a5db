package main

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/amplify-go/amplify/auth"
)

// attribute is one thing that the user pool knows about a user.
type attribute struct {
	Name, Value string
}

// profile shows what the user pool keeps about the visitor, and what the session allows. It shows
// what tokens say, never the tokens themselves: a person who sees them could use them.
func profile(r *http.Request) (any, error) {
	attributes, err := auth.FetchUserAttributes(r.Context())
	if err != nil {
		return nil, err
	}
	session, err := auth.FetchAuthSession(r.Context(), auth.FetchAuthSessionInput{})
	if err != nil {
		return nil, err
	}
	access := session.Tokens.AccessToken.Claims()

	var sorted []attribute
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		sorted = append(sorted, attribute{name, attributes[name]})
	}
	return struct {
		Attributes            []attribute
		SignedInAt, ExpiresAt time.Time
		MinutesLeft           int
		Groups, Scopes        []string
		IdentityID            string
	}{
		Attributes:  sorted,
		SignedInAt:  access.AuthTime,
		ExpiresAt:   access.ExpiresAt,
		MinutesLeft: int(time.Until(access.ExpiresAt).Minutes()),
		Groups:      access.Groups,
		Scopes:      access.Scopes,
		IdentityID:  session.IdentityID,
	}, nil
}
