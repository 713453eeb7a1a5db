package main

import "net/http"

// storeroom is a page for a group: its route lets curators in only. The groups stand in the
// visitor's tokens, so that no other server is asked. What changes in the user pool is there after
// the next refresh or sign-in.
func storeroom(*http.Request) (any, error) {
	return struct{ Works []work }{[]work{
		{"The Bedroom", "Needs a new frame."},
		{"Almond Blossom", "Back from a loan, to be hung in spring."},
		{"Wheatfield with Crows", "With the restorer until March."},
	}}, nil
}

// work is a picture that is not on display.
type work struct {
	Title, Note string
}
