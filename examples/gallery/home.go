package main

import "net/http"

// room is an entry of the list at the entrance.
type room struct {
	Title, Path string
	About       string
	Entry       string // who may go in
}

// home is the entrance. Everyone may see it; the layout greets those who are signed in.
func home(*http.Request) (any, error) {
	return struct{ Rooms []room }{[]room{
		{"Sign in", "/sign-in", "Where people sign in, sign up and sign out.", "open to everyone"},
		{"Your page", "/home", "A protected page. The server greets you by your name.", "signed in only"},
		{"Profile", "/profile", "Your attributes in the user pool, and what your session allows.", "signed in only"},
		{"Storeroom", "/storeroom", "What is not on display. Others are told why they may not.", "curators only"},
		{"Who am I?", "/apis/get-current-user", "The current user for programs, as JSON.", "signed in only"},
	}}, nil
}
