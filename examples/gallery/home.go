package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"path"
	"slices"

	"github.com/amplify-go/amplify/storage"
)

// room is an entry of the list at the entrance.
type room struct {
	Title, Path string
	About       string
	Entry       string // who may go in
}

// home is the entrance. Everyone may see it; the layout greets those who are signed in.
func home(r *http.Request) (any, error) {
	displayed, err := wall(r.Context())
	if err != nil {
		// The entrance stays open, also while S3 cannot be reached.
		slog.WarnContext(r.Context(), "cannot tell which photos are on display", "error", err)
	}
	return struct {
		Displayed []picture
		Rooms     []room
	}{displayed, []room{
		{"Poster", "/poster", "A static page: rendered once, kept until the address of its picture expires.", "open to everyone"},
		{"Sign in", "/sign-in", "Where people sign in, sign up and sign out.", "open to everyone"},
		{"Your page", "/home", "A protected page. The server greets you by your name.", "signed in only"},
		{"Photos", "/photos", "Your own album in S3. What you put on display hangs above.", "signed in only"},
		{"Notes", "/notes", "Your own notes, with comments. The API keeps each visitor's apart.", "signed in only"},
		{"All notes", "/admin/notes", "What visitors have written. Admins may comment, and remove it.", "admins only"},
		{"Profile", "/profile", "Your attributes in the user pool, and what your session allows.", "signed in only"},
		{"Storeroom", "/storeroom", "What is not on display. Others are told why they may not.", "curators only"},
		{"Who am I?", "/apis/get-current-user", "The current user for programs, as JSON.", "signed in only"},
	}}, nil
}

// wall returns the photos that were put on display last, the newest first. Guests may list and get
// them, too: the identity pool gives them credentials with that right.
func wall(ctx context.Context) ([]picture, error) {
	const places = 7
	// A page of the list has 1,000 photos. With more, an application would keep an index.
	list, err := storage.List(ctx, storage.ListInput{Path: storage.Path(public + "/")})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list.Items, func(a, b storage.Item) int {
		return cmp.Or(b.LastModified.Compare(a.LastModified), cmp.Compare(a.Path, b.Path))
	})
	var pictures []picture
	for _, item := range list.Items[:min(places, len(list.Items))] {
		p, err := pictureOf(ctx, item.ObjectPath(), path.Base(item.Path))
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, p)
	}
	return pictures, nil
}
